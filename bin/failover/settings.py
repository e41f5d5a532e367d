"""The site's settings, with the job of the proof known to its workers."""

from missionsite.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["failover.jobs"]
