"""The limits and conditions of this app, as data: constraints, forms, services and the API are made from them."""

from datetime import time, timedelta

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

# --- Rest of templates ------------------------------------------------------------------------

# After a discard for one of these reasons, the template is not proposed for this long. None: a discard with feedback
# only. A discard as "wrong time" has a date of its own; one as duplicate lets the template wait for that mission.
REST_AFTER = {
    "not_needed": timedelta(days=14),
    "other": timedelta(days=14),
    None: timedelta(days=14),
    "run_cancelled": timedelta(days=1),
}
# After a discard for one of these reasons, the template is not proposed until it is edited.
REST_UNTIL_EDITED = ("too_large", "unclear", "wrong_template")
# Open proposals and missions of one template at a time.
MAX_OPEN = (1, 100)
DEFAULT_MAX_OPEN = 1
# The day of a schedule: Monday to Sunday, or the day of the month. In a shorter month, its last day counts.
WEEKLY_DAY = (1, 7)
MONTHLY_DAY = (1, 31)
# A template may be accepted automatically when the lower end of the 95 % confidence interval of its acceptance is at
# least this. 16 of 16 accepted is the shortest record that is good enough.
AUTO_ACCEPT_LOWER_BOUND = 0.8
CONFIDENCE_Z = 1.96

# --- Board ------------------------------------------------------------------------------------

# Missions wanted at most in a list; more are a warning, not an error.
LIST_LIMIT = (1, 1_000)
# A mission in one of these lists without an event for so many days is marked.
STALE_LISTS = ("doing", "review")
STALE_AFTER_DAYS = (1, 365)
DEFAULT_STALE_AFTER_DAYS = 14

# --- Forecast ---------------------------------------------------------------------------------

# A forecast needs so many finished missions, and reads so many days of throughput.
FORECAST_FINISHED = 10
FORECAST_DAYS = 84

# --- Access requests --------------------------------------------------------------------------

ACCESS_REQUEST_EXPIRES_AFTER = timedelta(days=14)
ACCESS_MESSAGE_LENGTH = 1_000

# --- Notifications ----------------------------------------------------------------------------

# The channels of a kind for which neither the member nor the organisation has chosen any.
NOTIFICATION_CHANNELS = ("in_app",)
# No e-mail is sent in these hours, in the time zone of the organisation; the first and last hour of a digest.
QUIET_FROM, QUIET_TO = time(21), time(8)
DIGEST_HOUR = (0, 23)
DEFAULT_DIGEST_HOUR = 8
# Days of a snooze that the inbox offers.
SNOOZE_DAYS = (1, 7)

# --- Order by score ---------------------------------------------------------------------------

# A decision counts half after this time, and not at all after the period that is replayed.
SCORE_HALF_LIFE = timedelta(days=30)
REPLAY_PERIOD = timedelta(days=180)
# Decisions at one half with which each template begins, so that one acceptance does not outrank a long record.
SCORE_PRIOR = 2

# --- Absences ---------------------------------------------------------------------------------

ABSENCE_LONGEST = timedelta(days=366)

# --- Comments ---------------------------------------------------------------------------------

COMMENT_LENGTH = 5_000
# An author can change a comment for this long.
COMMENT_EDIT_WINDOW = timedelta(minutes=15)

# --- Documents of missions --------------------------------------------------------------------

# Below the folder of the mission. Has the same meaning in PostgreSQL and Python.
DOCUMENT_NAME = r"^(solution|tasks/[1-9][0-9]{0,2})\.md$"
DOCUMENT_LENGTH = 200_000

# --- Agents -----------------------------------------------------------------------------------

# A session or workstation without a heartbeat for this long is ended by a job.
HEARTBEAT_TIMEOUT = timedelta(minutes=5)
# A mission goes back to Todo after a session that did not succeed; after so many of them, it is no longer ready.
AGENT_ATTEMPTS = 3
# Bytes of the log of a session, and of one part of it.
AGENT_LOG_BYTES = 2_000_000
AGENT_LOG_PART = 100_000
# Projects, clones or work trees of one workstation.
WORKSTATION_PARTS = 200

# --- GitHub -----------------------------------------------------------------------------------

# Bytes of a delivery: GitHub sends none above 25 MB. Source: GitHub documentation, "Webhook events and payloads".
GITHUB_PAYLOAD_BYTES = 25 * 1024 * 1024
# GitHub sends a delivery again for three days.
GITHUB_DELIVERIES_KEPT = timedelta(days=30)

# --- Retention --------------------------------------------------------------------------------

RUNS_KEPT = timedelta(days=180)
NOTIFICATIONS_KEPT = timedelta(days=180)
# After the decision.
ACCESS_MESSAGES_KEPT = timedelta(days=30)

# --- Conditions -------------------------------------------------------------------------------

# The missions that count as backlog: they can be started now. The SQL of the check has a copy; a test compares the two.
BACKLOG = {"list": "todo", "ready": True, "open_dependency_count": 0}
# The statuses of a run that can still get decisions, and of one that has a report.
OPEN_RUN_STATUSES = ("pending", "awaiting_review")
ENDED_RUN_STATUSES = ("completed", "cancelled", "errored")
# A reviewer can undo their own decision for this long.
UNDO_WINDOW = timedelta(hours=1)
