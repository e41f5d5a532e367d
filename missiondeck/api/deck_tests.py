"""The API of tests across runs: what changed in a run, failures with the same error, one test, and quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext
from ninja import Path, Query, Schema
from pydantic import AwareDatetime, Field

from groups.models import Member
from missiondeck.api.access import (
    CHANGE,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    OVERRIDE,
    Number,
    Order,
    RunId,
    get_mission_to_change,
    get_run,
    get_visible_mission,
)
from missiondeck.errors import NothingToCompare, OwnerUnknown
from missiondeck.models import DeckMission
from missiondeck.rules import HISTORY_RUNS, MAX_QUARANTINE, REASON_LENGTH, SLOWER_RATIO, SLOWER_SECONDS
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.comparisons import KINDS, changes_of, earlier_runs, errors_of, run_to_compare
from missiondeck.selectors.deck_tests import TestHistory, history_of
from missiondeck.services.deck_tests import lift_quarantine, quarantine_test, set_test_owner
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["test runs"])

TestKey = Path(..., description="Key of the test, as in results and changes.", examples=[EXAMPLE_ID])
Against = Query(
    None, description="An earlier run; by default the last green one of the same suite.", examples=[EXAMPLE_ID]
)
Kind = Query(None, description="By default the first kind that has tests.")
Page = Query(1, ge=1, le=1_000_000, description="From 1.", examples=[1])
ChangeKind = Literal["newly_failing", "still_failing", "fixed", "vanished", "skipped", "new", "slower"]
NAME = "tests.test_send \u203a test_retry"


class ChangeOut(Schema):
    """A test that changed."""

    test: str = Field(examples=[NAME])
    key: UUID = Field(description="Identifies the test across runs.", examples=[EXAMPLE_ID])
    before: float | None = Field(description="Seconds in the earlier run.", examples=[0.25])
    after: float | None = Field(description="Seconds in this run.", examples=[2.5])
    error: str | None = Field(description="The start of its error in this run.", examples=["AssertionError: 2 != 3"])


class ChangesOut(Schema):
    """What changed in a run against an earlier run."""

    against: UUID = Field(description="The earlier run.", examples=[EXAMPLE_ID])
    counts: dict[str, int] = Field(
        description=(
            "Number of tests of each kind. `slower` takes at least "
            f"{SLOWER_RATIO:g} times as long and {SLOWER_SECONDS:g} second more."
        ),
        examples=[dict.fromkeys(KINDS, 0)],
    )
    kind: str = Field(description="The kind of the tests in `items`.", examples=["newly_failing"])
    items: list[ChangeOut] = Field(examples=[[]])
    page: int = Field(examples=[1])
    pages: int = Field(description="Number of the last page.", examples=[1])


class ErrorGroupOut(Schema):
    """Failures with the same error; numbers in it do not matter."""

    tests: int = Field(examples=[3])
    error: str = Field(description="The start of the first one.", examples=["AssertionError: 2 != 3"])
    named: list[str] = Field(description="The first tests.", examples=[[NAME]])


class ErrorsOut(Schema):
    items: list[ErrorGroupOut] = Field(description="The most frequent first, 50 at most.", examples=[[]])


class AppearanceOut(Schema):
    """The test in one run."""

    run: UUID = Field(examples=[EXAMPLE_ID])
    at: datetime = Field(examples=[EXAMPLE_TIME])
    suite: str = Field(examples=["unit"])
    environment: str = Field(examples=["Linux"])
    commit: str = Field(examples=["f" * 40])
    ended: str = Field(description="`passed`, `failed` or `skipped`.", examples=["passed"])
    duration: float | None = Field(description="Seconds.", examples=[0.25])
    error: str | None = Field(description="The start of its error.", examples=[None])
    is_flaky: bool = Field(examples=[False])


class QuarantineOut(Schema):
    reason: str = Field(examples=["The gateway of the tests is unreliable"])
    issue_url: str = Field(examples=["https://issues.example.org/812"])
    since: datetime = Field(examples=[EXAMPLE_TIME])
    until: datetime = Field(examples=[EXAMPLE_TIME])
    is_active: bool = Field(description="False once it ended.", examples=[True])


class TestOut(Schema):
    """One test over the latest runs of its mission."""

    test: str = Field(examples=[NAME])
    key: UUID = Field(examples=[EXAMPLE_ID])
    ran: int = Field(description=f"Runs that ran it, of the latest {HISTORY_RUNS}.", examples=[20])
    failed: int = Field(examples=[2])
    flaky_ratio: float | None = Field(description="Share of these in which it was flaky, 0 to 1.", examples=[0.1])
    owner: str | None = Field(description="Stable ID of the member.", examples=["FE-P-00007"])
    quarantine: QuarantineOut | None = Field(examples=[None])
    history: list[AppearanceOut] = Field(description="Newest first.", examples=[[]])


class OwnerIn(Order):
    owner: str | None = Field(max_length=20, description="Stable ID of a member; null for no one.", examples=[None])


class QuarantineIn(Order):
    reason: str = Field(min_length=1, max_length=REASON_LENGTH, examples=["The gateway of the tests is unreliable"])
    issue_url: str = Field(max_length=500, examples=["https://issues.example.org/812"])
    until: AwareDatetime = Field(description=f"At most {MAX_QUARANTINE.days} days ahead.", examples=[EXAMPLE_TIME])


@router.get(
    "/deck/missions/{number}/runs/{run}/changes", response=ChangesOut, summary="Compare a test run with an earlier one"
)
@needs(DECK_READ, checks_rights=True)
def get_deck_run_changes(
    request: SiteRequest,
    number: int = Number,
    run: UUID = RunId,
    against: UUID | None = Against,
    kind: ChangeKind | None = Kind,
    page: int = Page,
):
    """The tests that changed, 50 of one kind. 409 if there is no earlier run."""
    mission = get_visible_mission(request, number)
    found = get_run(mission, run)
    if against:
        base = earlier_runs(found).filter(pk=against).first()
        if base is None:
            values = {"number": number, "key": against}
            raise Http404(gettext("Client mission %(number)s has no earlier test run %(key)s.") % values)
    else:
        base = run_to_compare(found) or earlier_runs(found).first()
        if base is None:
            raise NothingToCompare
    changes = changes_of(found, base, kind=kind or "", number=page)
    return {
        "against": base.pk,
        "counts": dict.fromkeys(KINDS, 0) | changes.counts,
        "kind": changes.kind,
        "items": [vars(each) for each in changes.rows],
        "page": changes.number,
        "pages": changes.last,
    }


@router.get("/deck/missions/{number}/runs/{run}/errors", response=ErrorsOut, summary="Group failures by error")
@needs(DECK_READ, checks_rights=True)
def get_deck_run_errors(request: SiteRequest, number: int = Number, run: UUID = RunId):
    """The failures of a run, grouped by error."""
    found = get_run(get_visible_mission(request, number), run)
    return {"items": [vars(each) for each in errors_of(found)]}


@router.get("/deck/missions/{number}/tests/{test}", response=TestOut, summary="Show the history of a test")
@needs(DECK_READ, checks_rights=True)
def get_deck_test(request: SiteRequest, number: int = Number, test: UUID = TestKey):
    """One test over the latest runs of the mission, with its owner and quarantine."""
    mission = get_visible_mission(request, number)
    return _test_out(_history(mission, test))


@router.put("/deck/missions/{number}/tests/{test}/owner", response=TestOut, summary="Set the owner of a test")
@needs(DECK_WRITE, checks_rights=True)
def set_deck_test_owner(request: SiteRequest, order: OwnerIn, number: int = Number, test: UUID = TestKey):
    """State who repairs a test."""
    mission = get_mission_to_change(request, number, CHANGE)
    found = _history(mission, test)
    owner = Member.objects.filter(member_id=order.owner, is_active=True).first() if order.owner else None
    if order.owner and owner is None:
        raise OwnerUnknown
    set_test_owner(actor=request.auth.member, mission=mission, test=found.test, owner=owner)
    return _test_out(_history(mission, test))


@router.put("/deck/missions/{number}/tests/{test}/quarantine", response=TestOut, summary="Put a test in quarantine")
@needs(DECK_WRITE, checks_rights=True)
def quarantine_deck_test(request: SiteRequest, order: QuarantineIn, number: int = Number, test: UUID = TestKey):
    """Until then, failures of the test do not close the gate; replaces an earlier quarantine."""
    mission = get_mission_to_change(request, number, OVERRIDE)
    found = _history(mission, test)
    quarantine_test(actor=request.auth.member, mission=mission, test=found.test, **order.dict())
    return _test_out(_history(mission, test))


@router.post(
    "/deck/missions/{number}/tests/{test}/quarantine/lift", response=TestOut, summary="End the quarantine of a test"
)
@needs(DECK_WRITE, checks_rights=True)
def lift_deck_test_quarantine(request: SiteRequest, number: int = Number, test: UUID = TestKey):
    """409 if the test is not in quarantine."""
    mission = get_mission_to_change(request, number, OVERRIDE)
    found = _history(mission, test)
    lift_quarantine(actor=request.auth.member, mission=mission, test=found.test)
    return _test_out(_history(mission, test))


def _history(mission: DeckMission, key: UUID) -> TestHistory:
    if found := history_of(mission, key):
        return found
    values = {"number": mission.number, "key": key}
    raise Http404(gettext("Client mission %(number)s has no test %(key)s in its latest runs.") % values)


def _test_out(found: TestHistory) -> dict:
    entry = found.entry
    quarantine = None
    if entry and entry.quarantined_until:
        quarantine = {
            "reason": entry.quarantine_reason,
            "issue_url": entry.issue_url,
            "since": entry.quarantined_at,
            "until": entry.quarantined_until,
            "is_active": found.is_quarantined,
        }
    return {
        "test": found.test,
        "key": found.key,
        "ran": found.ran,
        "failed": found.failed,
        "flaky_ratio": found.flaky_ratio,
        "owner": entry.owner.member_id if entry and entry.owner else None,
        "quarantine": quarantine,
        "history": [vars(each) | {"is_flaky": each.is_flaky} for each in found.runs],
    }
