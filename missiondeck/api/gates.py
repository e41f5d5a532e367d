"""The API of the gate of a client mission: its state, rules, baseline and vanished tests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Schema, Status
from pydantic import Field

from missiondeck.api.access import (
    EXAMPLE_ID,
    EXAMPLE_TIME,
    OVERRIDE,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.models import DeckMission
from missiondeck.rules import MAX_AGE_DAYS, MAX_SUITES, MAX_TESTS, REASON_LENGTH
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.gates import checks_of, gate_of
from missiondeck.services.gates import confirm_baseline, confirm_vanished_tests, set_gate_rules
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["client missions"])


class GateRun(Schema):
    """A run that decides."""

    run: UUID = Field(examples=[EXAMPLE_ID])
    suite: str = Field(examples=["unit"])
    environment: str = Field(examples=["Linux"])
    status: str = Field(description="`running`, `passed` or `failed`.", examples=["passed"])
    tests: int = Field(description="Tests that ran; skipped ones do not count.", examples=[44])
    failures: int = Field(examples=[0])
    is_green: bool = Field(examples=[True])


class GateCheck(Schema):
    """One rule, with its value."""

    rule: str = Field(
        description="`suite`, `open`, `later`, `failures`, `quarantine`, `tests`, `vanished` or `age`.",
        examples=["tests"],
    )
    label: str = Field(examples=["Number of tests"])
    value: str = Field(examples=["44 ran; at least 40 required"])
    is_met: bool = Field(examples=[True])


class GateBaselineOut(Schema):
    tests: int = Field(examples=[44])
    at: datetime = Field(examples=[EXAMPLE_TIME])
    reason: str = Field(description="Empty if the runs completed the mission.", examples=[""])


class GateOut(Schema):
    """The state of a gate."""

    is_open: bool = Field(description="Whether the test runs allow to complete the mission.", examples=[True])
    commit: str = Field(description="The newest commit; empty without CI.", examples=["f" * 40])
    checks: list[GateCheck] = Field(examples=[[]])
    runs: list[GateRun] = Field(description="The runs that decide.", examples=[[]])
    required_suites: list[str] = Field(examples=[["unit", "e2e"]])
    min_tests: int | None = Field(
        description="Stated, else a share of the baseline; null without either.", examples=[40]
    )
    max_failures: int = Field(examples=[0])
    max_age_days: int | None = Field(examples=[7])
    baseline: GateBaselineOut | None = Field(examples=[None])
    vanished: int = Field(description="Vanished tests that are not confirmed.", examples=[0])
    vanished_tests: list[str] = Field(description="Some of them, 50 at most.", examples=[[]])
    quarantined: int = Field(description="Tests that failed in quarantine; they do not count.", examples=[0])
    quarantined_tests: list[str] = Field(description="Some of them, 50 at most.", examples=[[]])


class GateRulesIn(Order):
    required_suites: list[str] = Field([], max_length=MAX_SUITES, examples=[["unit", "e2e"]])
    min_tests: int | None = Field(None, ge=1, le=MAX_TESTS, description="Null for 90 % of the baseline.", examples=[40])
    max_failures: int = Field(0, ge=0, le=MAX_TESTS, examples=[0])
    max_age_days: int | None = Field(None, ge=1, le=MAX_AGE_DAYS, description="Null for any age.", examples=[7])


class BaselineIn(Order):
    reason: str = Field(min_length=1, max_length=REASON_LENGTH, examples=["First complete suite"])


class VanishedIn(Order):
    tests: list[str] = Field(min_length=1, max_length=1_000, examples=[["tests.test_send \u203a test_retry"]])
    reason: str = Field(min_length=1, max_length=REASON_LENGTH, examples=["The feature was removed"])


@router.get("/deck/missions/{number}/gate", response=GateOut, summary="Show the gate of a client mission")
@needs(DECK_READ, checks_rights=True)
def get_deck_gate(request: SiteRequest, number: int = Number):
    """Which test runs decide whether the mission can be completed, and each rule with its value."""
    return _gate_out(get_visible_mission(request, number))


@router.put("/deck/missions/{number}/gate", response=GateOut, summary="Set the rules of a gate")
@needs(DECK_WRITE, checks_rights=True)
def set_deck_gate(request: SiteRequest, order: GateRulesIn, number: int = Number):
    """Replace the rules; a rule that is not given gets its default."""
    mission = get_mission_to_change(request, number, OVERRIDE)
    set_gate_rules(actor=request.auth.member, mission=mission, **order.dict())
    return _gate_out(mission)


@router.post("/deck/missions/{number}/gate/baseline", response={201: GateOut}, summary="Confirm a baseline")
@needs(DECK_WRITE, checks_rights=True)
def confirm_deck_baseline(request: SiteRequest, order: BaselineIn, number: int = Number):
    """Compare later runs with the runs that decide now."""
    mission = get_mission_to_change(request, number, OVERRIDE)
    confirm_baseline(actor=request.auth.member, mission=mission, reason=order.reason)
    return Status(201, _gate_out(mission))


@router.post("/deck/missions/{number}/gate/vanished", response={201: GateOut}, summary="Confirm vanished tests")
@needs(DECK_WRITE, checks_rights=True)
def confirm_deck_vanished_tests(request: SiteRequest, order: VanishedIn, number: int = Number):
    """Confirm by name that tests of the baseline no longer run."""
    mission = get_mission_to_change(request, number, OVERRIDE)
    confirm_vanished_tests(actor=request.auth.member, mission=mission, tests=order.tests, reason=order.reason)
    return Status(201, _gate_out(mission))


def _gate_out(mission: DeckMission) -> dict:
    gate = gate_of(mission)
    checks = checks_of(gate)
    return gate | {
        "checks": [vars(check) for check in checks],
        "is_open": all(check.is_met for check in checks),
    }
