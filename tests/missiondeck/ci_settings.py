"""Settings with only the API and a health page."""

from missionsite.settings import *  # noqa: F403

ROOT_URLCONF = "tests.missiondeck.ci_urls"
