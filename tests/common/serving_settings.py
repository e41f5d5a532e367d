"""The site's settings with unhashed static files and the test URLs."""

import os

from missionsite.common import serving
from missionsite.settings import *  # noqa: F403
from missionsite.settings import STORAGES

ROOT_URLCONF = "tests.common.serving_urls"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
serving.BODY_SECONDS = float(os.environ.get("TEST_BODY_SECONDS", serving.BODY_SECONDS))
