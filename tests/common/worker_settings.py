"""The site's settings, with the jobs of the tests known to its workers."""

from missionsite.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.common.jobs"]
