"""The site's settings, with one live page for the tests."""

from missionsite.settings import *  # noqa: F403

ROOT_URLCONF = "tests.common.live_urls"
