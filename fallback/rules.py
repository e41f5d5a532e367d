"""The limits and conditions of this app, as data: constraints, forms, services and the API are made from them."""

from datetime import timedelta

# --- Guardrails -------------------------------------------------------------------------------

# Accepted proposals per week, and their estimated hours per month, of a project that has not set its own. The trigger
# spend_allowance has a copy, for projects without a configuration; a test compares the two.
DEFAULT_WEEKLY_MISSION_CAP = 20
DEFAULT_MONTHLY_TARGET_HOURS = 120
DEFAULT_BACKLOG_THRESHOLD = 5
DEFAULT_CHECK_CADENCE_MINUTES = 15

# --- Smallest and largest values --------------------------------------------------------------

BACKLOG_THRESHOLD = (0, 1_000)
# Up to one week.
CHECK_CADENCE_MINUTES = (1, 10_080)
MONTHLY_TARGET_HOURS = (0, 100_000)
WEEKLY_MISSION_CAP = (0, 10_000)
ROLLOUT_PERCENT = (0, 100)
EFFORT_MINUTES = (1, 100_000)
# Characters of the feedback of a reviewer.
FEEDBACK_LENGTH = 5_000
# Stages of a flow and tags of a template: how many, and the characters of each.
STAGES, STAGE_LENGTH = 20, 64
TAGS, TAG_LENGTH = 20, 64

# --- Conditions -------------------------------------------------------------------------------

# The missions that count as backlog: they can be started now. The SQL of the check has a copy; a test compares the two.
BACKLOG = {"list": "todo", "ready": True, "open_dependency_count": 0}
# The statuses of a run that can still get decisions, and of one that has a report.
OPEN_RUN_STATUSES = ("pending", "awaiting_review")
ENDED_RUN_STATUSES = ("completed", "cancelled", "errored")
# A reviewer can undo their own decision for this long.
UNDO_WINDOW = timedelta(hours=1)
