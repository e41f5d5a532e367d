"""What changed between two test runs of a mission, and failures with the same error."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from missiondeck.models import RunStatus, TestRun
from missiondeck.rules import SLOWER_RATIO, SLOWER_SECONDS
from missiondeck.selectors.runs import light_runs
from missionsite.common.sql_loader import read_sql

CHANGES_PER_PAGE = 50
# Groups of failures with the same error, and the tests named in each.
GROUPS = 50
TESTS_NAMED = 5
# Kinds of changes, the most urgent first.
KINDS = ("newly_failing", "still_failing", "fixed", "vanished", "skipped", "new", "slower")


@dataclass(frozen=True)
class Change:
    """A test that changed. key: of its page. before, after: seconds. error: the start of its error now."""

    test: str
    key: UUID
    before: float | None = None
    after: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Changes:
    """The number of changed tests by kind, and a page of one kind. number: of the page, from 1."""

    counts: dict[str, int]
    kind: str
    number: int
    rows: list[Change] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.counts.get(self.kind, 0)

    @property
    def last(self) -> int:
        return max(1, -(-self.total // CHANGES_PER_PAGE))


def earlier_runs(run: TestRun) -> QuerySet[TestRun]:
    """The finished runs of the mission before this one, the latest first."""
    began = Coalesce("started_at", "created_at")
    mine = run.started_at or run.created_at
    same_time = Q(began__lt=mine) | Q(began=mine, created_at__lt=run.created_at)
    return (
        light_runs()
        .alias(began=began)
        .filter(mission=run.mission_id)
        .exclude(status=RunStatus.RUNNING)
        .filter(Q(ordered_at__lt=run.ordered_at) | Q(ordered_at=run.ordered_at) & same_time)
    )


def last_green_run(run: TestRun) -> TestRun | None:
    """The last run before this one that passed, of the same suite and environment."""
    same = earlier_runs(run).filter(job=run.job, environment=run.environment)
    return same.filter(status=RunStatus.PASSED).first()


def run_to_compare(run: TestRun) -> TestRun | None:
    """What a run is compared with by default: the last green run, else the run before it of the same suite."""
    same = earlier_runs(run).filter(job=run.job, environment=run.environment)
    return last_green_run(run) or same.first()


def changes_of(run: TestRun, base: TestRun, *, kind: str = "", number: int = 1) -> Changes:
    """What changed in a run against an earlier one. kind: of the page; "" for the first kind that has tests."""
    found = _read_changes(run, base, kind or KINDS[0], number)
    if not kind and not found.total and (first := next((each for each in KINDS if found.counts.get(each)), "")):
        return _read_changes(run, base, first, number)
    return found


def _read_changes(run: TestRun, base: TestRun, kind: str, number: int) -> Changes:
    number = max(1, number)
    values: dict[str, Any] = {
        "run": run.pk,
        "base": base.pk,
        "kind": kind,
        "ratio": SLOWER_RATIO,
        "seconds": SLOWER_SECONDS,
        "limit": CHANGES_PER_PAGE,
        "offset": (number - 1) * CHANGES_PER_PAGE,
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/run_changes"), values)
        rows = cursor.fetchall()
    counts = json.loads(rows[0][0] or "{}")
    return Changes(counts, kind, number, [Change(row[1], UUID(row[2]), *row[3:]) for row in rows if row[1] is not None])


@dataclass(frozen=True)
class ErrorGroup:
    """Failures with the same error. error: the start of the first one. named: its first tests."""

    tests: int
    error: str
    named: list[str]


def errors_of(run: TestRun) -> list[ErrorGroup]:
    """The failures of a run grouped by error, the most frequent first. Numbers in errors do not matter."""
    values: dict[str, Any] = {"run": run.pk, "limit": GROUPS, "tests": TESTS_NAMED}
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/run_errors"), values)
        return [ErrorGroup(*row) for row in cursor.fetchall()]
