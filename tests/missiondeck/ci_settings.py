"""The site's settings, with the API and one page that tells that the web server is there."""

from missionsite.settings import *  # noqa: F403

ROOT_URLCONF = "tests.missiondeck.ci_urls"
