"""The rules of this app as data: moves of the status, and limits.

Constraints, forms, services, the API and the README are made from them. Where SQL holds a copy, tests/missiondeck/
test_rules.py compares the two.
"""

from datetime import timedelta

# From, to: whether a move of the status of a client mission needs a reason.
STATUS_MOVES = {
    ("active", "qa"): False,
    ("qa", "complete"): False,
    ("qa", "active"): True,
    ("complete", "qa"): True,
}
FORWARD = {before: after for (before, after), needs_reason in STATUS_MOVES.items() if not needs_reason}
BACK = {before: after for (before, after), needs_reason in STATUS_MOVES.items() if needs_reason}

# Years of a deadline. Outside of them some time zones cannot represent an instant.
FIRST_YEAR = 2000
LAST_YEAR = 2199
CURRENCY = "^[A-Z]{3}$"
# On GitHub owner and name; elsewhere any path of at least two parts.
REPOSITORY = (
    r"^https://(github\.com/[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}"
    r"|(?!(www\.)?github\.com[/:])[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]{1,100}){2,10})/?$"
)
# Characters of a reason.
REASON_LENGTH = 2_000

# Characters of an item of the definition of done, and items of a mission.
ITEM_LENGTH = 500
MAX_ITEMS = 1_000

# Evidence of an item, and characters of a test, suite, URL or role.
MAX_EVIDENCE = 20
EVIDENCE_LENGTH = 1_000
PULL_REQUEST = r"^https://github\.com/[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}/pull/[1-9][0-9]{0,8}$"
# Bytes of a file.
EVIDENCE_FILE_BYTES = 5 * 1024 * 1024
# Items of a template of a definition of done.
TEMPLATE_ITEMS = 200
# Minutes between two checks of an address or a pull request.
EVIDENCE_CHECK_MINUTES = 10

# The key of a citizen, and the citizens with whom messages of the seed and test runs are shown.
CITIZEN_KEY = r"^[a-z][a-z0-9-]{0,39}$"
DEFAULT_CITIZEN = "rafael"
TESTER = "sofia"

# Characters of a chat message, and of a code block.
MESSAGE_LENGTH = 100_000
# Characters of the author that the source of a message states.
AUTHOR_LENGTH = 200
CODE_BLOCKS = 50
# Characters of the language of a code block.
LANGUAGE_LENGTH = 40

# Bytes that the database stores of a test run. The settings DECK_… bound what is read.
LOGS_BYTES = 64 * 1024 * 1024
RESULTS_BYTES = 128 * 1024 * 1024
# Characters of the key that identifies an imported run.
KEY_LENGTH = 255
# Announced shards of a run.
MAX_SHARDS = 1_000

# The gate of a mission needs this share of the tests of its baseline, unless its rules state a number.
BASELINE_RATIO = 0.9
MAX_SUITES = 50
# Tests, failures and days in the rules of a gate.
MAX_TESTS = 1_000_000
MAX_AGE_DAYS = 3_650

# The longest quarantine of a test.
MAX_QUARANTINE = timedelta(days=90)
# A test is slower if it takes this many times as long as before, and this many seconds more.
SLOWER_RATIO = 2.0
SLOWER_SECONDS = 1.0
# The latest runs of a mission that the page of a test searches.
HISTORY_RUNS = 100

# Links to the page of a client: valid ones of a mission, and the longest time until one expires.
MAX_LINKS = 20
MAX_LINK_DAYS = 365
# Requests per minute of a network to the pages of clients.
LINK_REQUESTS_PER_MINUTE = 60
# A code that confirms a signature: how long it is valid, wrong attempts, and codes of a link in an hour.
CODE_MINUTES = 15
CODE_ATTEMPTS = 5
CODES_PER_HOUR = 3
# Comments of a link in an hour, and their characters.
COMMENTS_PER_HOUR = 20
COMMENT_LENGTH = 5_000

# Who is told when: the time before a deadline, and the flaky tests of a failed run.
DEADLINE_NEAR = timedelta(hours=24)
FLAKY_TESTS = 3
# Webhooks of a mission, and the pauses before each retry of a delivery.
MAX_WEBHOOKS = 10
DELIVERY_PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)

# Costs of a mission: minutes of a time entry, and cents of an amount; and from which percent a budget is nearly used.
COST_MINUTES = 60_000
COST_CENTS = 100_000_000_000
BUDGET_NEAR_PERCENT = 80

# Calendar feeds of a member that are not revoked.
MAX_FEEDS = 20
# Hours before a deadline of the reminder in a feed.
MAX_ALARM_HOURS = 720


def repository_of(url: str) -> tuple[str, str]:
    """The host and the path of the URL of a repository, such as github.com and owner/name; empty without one."""
    host, _slash, path = url.removeprefix("https://").rstrip("/").partition("/")
    return host.lower(), path
