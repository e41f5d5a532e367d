"""The site for an ASGI server such as granian: `--interface asginl`."""

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")

from django.conf import settings

from missionsite.common.metric_files import share_metrics

share_metrics(settings.METRICS_DIR)
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402

from missionsite.common.collector import collect_rarely  # noqa: E402
from missionsite.common.connections import use_pool  # noqa: E402
from missionsite.common.probes import PATHS  # noqa: E402
from missionsite.common.serving import ThreadedSite  # noqa: E402
from missionsite.telemetry import start  # noqa: E402

use_pool()
# Before the application is made: it reads the middleware that tracing adds.
start("missionsite-web")
application = ThreadedSite(
    get_wsgi_application(),
    threads=settings.WEB_THREADS,
    # The largest body of a page or the API: a report with its output, plus the names of the parts.
    largest=max(settings.IMPORT_BYTES, settings.DECK_REPORT_BYTES + settings.DECK_LOGS_BYTES) + 1024 * 1024,
    probes=PATHS,
)
# The addresses, with views and API, would be loaded by the first request.
_ = get_resolver().url_patterns
collect_rarely()
