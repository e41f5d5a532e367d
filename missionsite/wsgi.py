"""The site for a WSGI server such as granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "missionsite.settings")
application = get_wsgi_application()

from missionsite.common.connections import use_pool  # noqa: E402 - needs the settings

use_pool()
