"""Choices of this app; CHECK constraints hold the same values."""

from django.db import models


class DeckStatus(models.TextChoices):
    """The status of a client mission."""

    ACTIVE = "active", "Active"
    QA = "qa", "In QA"
    COMPLETE = "complete", "Complete"


class Category(models.TextChoices):
    """The category of an item of the definition of done."""

    FUNCTIONAL = "functional", "Functional"
    NON_FUNCTIONAL = "non-functional", "Non-functional"
    TESTS = "tests", "Tests"


class Citizen(models.TextChoices):
    """The citizens that work on a client mission, in workflow order."""

    EMMA = "emma", "Emma"
    INNA = "inna", "Inna"
    RAFAEL = "rafael", "Rafael"
    SOFIA = "sofia", "Sofia"
    MAYA = "maya", "Maya"


class ChatSender(models.TextChoices):
    """The author of a chat message."""

    USER = "user", "User"
    CITIZEN = "citizen", "Citizen"


class RunStatus(models.TextChoices):
    """The status of a test run; for a finished run it follows from the results."""

    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class ResultStatus(models.TextChoices):
    """The status of one test in a run."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    ERROR = "error", "Error"
    SKIPPED = "skipped", "Skipped"


class RunSource(models.TextChoices):
    """The source of the results of a run."""

    MANUAL = "manual", "Manual"
    JUNIT = "junit", "JUnit XML"
    JSON = "json", "JSON"
