"""The words the tables of this app may hold; the database holds the same lists in its CHECKs."""

from django.db import models


class DeckStatus(models.TextChoices):
    """Where a client mission stands."""

    ACTIVE = "active", "Active"
    QA = "qa", "In QA"
    COMPLETE = "complete", "Complete"


# One step forward; back the same way, with a reason. Complete goes on to nothing.
FORWARD = {DeckStatus.ACTIVE: DeckStatus.QA, DeckStatus.QA: DeckStatus.COMPLETE}
BACK = {after: before for before, after in FORWARD.items()}


class Category(models.TextChoices):
    """What kind of promise an item of the definition of done is."""

    FUNCTIONAL = "functional", "Functional"
    NON_FUNCTIONAL = "non-functional", "Non-functional"
    TESTS = "tests", "Tests"


class Citizen(models.TextChoices):
    """Who works on a client mission, in the order of the work."""

    EMMA = "emma", "Emma"
    INNA = "inna", "Inna"
    RAFAEL = "rafael", "Rafael"
    SOFIA = "sofia", "Sofia"
    MAYA = "maya", "Maya"


class Sender(models.TextChoices):
    """Who wrote a message of a chat."""

    USER = "user", "User"
    CITIZEN = "citizen", "Citizen"


class RunStatus(models.TextChoices):
    """How a test run stands; what it is at its end follows from its results."""

    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class ResultStatus(models.TextChoices):
    """How one test of a run ended."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    ERROR = "error", "Error"
    SKIPPED = "skipped", "Skipped"


class RunSource(models.TextChoices):
    """Where a run's results come from."""

    MANUAL = "manual", "Written here"
    JUNIT = "junit", "JUnit XML"
    JSON = "json", "JSON"
