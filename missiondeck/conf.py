"""Settings of this app, read from the environment; `missionsite.settings` imports them all."""

from missionsite.environment import env

# Maximum bytes of a test report and of its output.
DECK_REPORT_BYTES = env.int("DECK_REPORT_BYTES", default=100 * 1024 * 1024)
DECK_LOGS_BYTES = env.int("DECK_LOGS_BYTES", default=60 * 1024 * 1024)
# Hours after which a run that is still running is given up.
DECK_RUN_HOURS = env.int("DECK_RUN_HOURS", default=24)
