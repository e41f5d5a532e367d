"""One test of a mission: its history over runs, its owner and its quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, TextField, UUIDField
from django.db.models.functions import MD5, Cast
from django.utils import timezone

from missiondeck.models import DeckMission, DeckTest, ResultStatus
from missiondeck.rules import HISTORY_RUNS
from missionsite.common.sql_loader import read_sql


@dataclass(frozen=True)
class Appearance:
    """A test in one run. ended: passed, failed or skipped. duration: seconds. error: the start of its error."""

    run: UUID
    run_status: str
    at: datetime
    suite: str
    environment: str
    commit: str
    test: str
    ended: str
    duration: float | None
    is_retried: bool
    error: str | None
    is_flaky_failure: bool

    @property
    def is_flaky(self) -> bool:
        """Whether it passed only when it was repeated, or failed after it had passed after a failure."""
        return self.is_retried or self.is_flaky_failure


@dataclass(frozen=True)
class TestHistory:
    """A test over the latest runs of its mission, newest first. entry: its owner and quarantine, if stated."""

    __test__ = False

    test: str
    key: UUID
    runs: list[Appearance]
    entry: DeckTest | None

    @property
    def ran(self) -> int:
        return sum(each.ended != ResultStatus.SKIPPED for each in self.runs)

    @property
    def failed(self) -> int:
        return sum(each.ended == ResultStatus.FAILED for each in self.runs)

    @property
    def flaky_ratio(self) -> float | None:
        """The share of the runs that ran the test in which it was flaky; None if it did not run."""
        return sum(each.is_flaky for each in self.runs) / self.ran if self.ran else None

    @property
    def is_quarantined(self) -> bool:
        return bool(self.entry and is_quarantined(self.entry))


def is_quarantined(entry: DeckTest) -> bool:
    return entry.quarantined_until is not None and entry.quarantined_until > timezone.now()


def history_of(mission: DeckMission, key: UUID) -> TestHistory | None:
    """A test by its key in the latest runs of a mission; None if it is neither there nor has an entry."""
    values: dict[str, Any] = {"mission": mission.pk, "key": key, "runs": HISTORY_RUNS}
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/test_history"), values)
        runs = [Appearance(*row) for row in cursor.fetchall()]
    digest = Cast(MD5("test", output_field=TextField()), UUIDField())
    entry = entries_of(mission).annotate(key=digest).filter(key=key).first()
    if not runs and entry is None:
        return None
    return TestHistory(runs[0].test if runs else entry.test, key, runs, entry)  # type: ignore[union-attr]


def key_of_test(test: str) -> UUID:
    """The key of a test by its identity, as in test_results.test_key."""
    return UUID(md5(test.encode(), usedforsecurity=False).hexdigest())


def entries_of(mission: DeckMission) -> QuerySet[DeckTest]:
    """The tests of a mission that have an owner or were in quarantine, those in quarantine first."""
    rows = DeckTest.objects.filter(mission=mission).select_related("owner", "quarantined_by")
    return rows.order_by("-quarantined_until", "test")
