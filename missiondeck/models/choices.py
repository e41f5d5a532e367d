"""Choices of this app; CHECK constraints hold the same values."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeckStatus(models.TextChoices):
    """The status of a client mission."""

    ACTIVE = "active", _("Active")
    QA = "qa", _("In QA")
    COMPLETE = "complete", _("Complete")


class Category(models.TextChoices):
    """The category of an item of the definition of done."""

    FUNCTIONAL = "functional", _("Functional")
    NON_FUNCTIONAL = "non-functional", _("Non-functional")
    TESTS = "tests", _("Tests")


class ChatSender(models.TextChoices):
    """The author of a chat message."""

    USER = "user", _("User")
    CITIZEN = "citizen", _("Citizen")


class RunStatus(models.TextChoices):
    """The status of a test run; for a finished run it follows from the results."""

    RUNNING = "running", _("Running")
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")


class ResultStatus(models.TextChoices):
    """The status of one test in a run."""

    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")
    ERROR = "error", _("Error")
    SKIPPED = "skipped", _("Skipped")


class EvidenceKind(models.TextChoices):
    """What shows that an item of the definition of done is true."""

    TEST = "test", _("Test")
    SUITE = "suite", _("Suite")
    SIGN_OFF = "sign_off", _("Sign-off by a role")
    PULL_REQUEST = "pull_request", _("Merged pull request")
    ADDRESS = "address", _("Address that answers")
    FILE = "file", _("File")
    LINK = "link", _("Link")


# Evidence for people to read, which ticks nothing.
FOR_READING = (EvidenceKind.FILE, EvidenceKind.LINK)


class EvidenceState(models.TextChoices):
    """Whether evidence shows what it should; set by the database."""

    MET = "met", _("Met")
    FAILED = "failed", _("Failed")
    MISSING = "missing", _("Did not run")
    PENDING = "pending", _("Running")


class Observation(models.TextChoices):
    """What the last check outside of the site found."""

    MET = "met", _("Met")
    FAILED = "failed", _("Failed")


class RunSource(models.TextChoices):
    """The source of the results of a run."""

    MANUAL = "manual", _("Manual")
    JUNIT = "junit", _("JUnit XML")
    JSON = "json", "JSON"
    TRX = "trx", "Visual Studio (TRX)"
    NUNIT = "nunit", "NUnit"
    XUNIT = "xunit", "xUnit.net"
    ROBOT = "robot", "Robot Framework"
    TAP = "tap", "TAP"
    GO = "go", "go test"
    CTRF = "ctrf", "CTRF"
    PLAYWRIGHT = "playwright", "Playwright"
    JEST = "jest", "Jest"
    MOCHA = "mocha", "Mocha"
    CUCUMBER = "cucumber", "Cucumber"


class NoticeKind(models.TextChoices):
    """What people and other systems are told about a mission."""

    RUN_STARTED = "run.started", _("Test run started")
    RUN_PASSED = "run.passed", _("Test run passed")
    RUN_FAILED = "run.failed", _("Test run failed")
    RUN_FLAKY = "run.flaky", _("Many flaky tests")
    ITEM_REOPENED = "item.reopened", _("Item reopened by its evidence")
    COMPLETED = "mission.completed", _("Mission completed")
    DEADLINE_NEAR = "deadline.near", _("Deadline is near")
    DEADLINE_PASSED = "deadline.passed", _("Deadline passed")
    BUDGET_NEAR = "budget.near", _("Budget nearly used")
    BUDGET_OVER = "budget.over", _("Budget exceeded")
    MENTION = "mention", _("Mention in a message or comment")


class DeliveryChannel(models.TextChoices):
    """Which other system a delivery is for."""

    WEBHOOK = "webhook", _("Webhook")
    GITHUB = "github", _("Commit status on GitHub")
    GITLAB = "gitlab", _("Commit status on GitLab")


class DeliveryStatus(models.TextChoices):
    """The status of a delivery."""

    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
