"""The site for an ASGI server such as granian: `--interface asginl`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
wsgi_application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - needs the settings

from missionsite.common.connections import use_pool  # noqa: E402
from missionsite.common.serving import ThreadedSite  # noqa: E402

use_pool()
application = ThreadedSite(
    wsgi_application,
    threads=settings.WEB_THREADS,
    streams=settings.LIVE_STREAMS,
    # The largest body of a page or the API: a report with its output, plus the names of the parts.
    largest=max(settings.IMPORT_BYTES, settings.DECK_REPORT_BYTES + settings.DECK_LOGS_BYTES) + 1024 * 1024,
)
