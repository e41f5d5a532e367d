"""The gate of a client mission: its rules, its baseline, and vanished tests that were confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from groups.models import Member
from missiondeck.errors import NothingToConfirm
from missiondeck.models import DeckMission, GateBaseline, GateRules, VanishedTest
from missiondeck.selectors.gates import counted_runs, vanished_tests_of
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service


@service
def set_gate_rules(
    *,
    actor: Member,
    mission: DeckMission,
    required_suites: Sequence[str] = (),
    min_tests: int | None = None,
    max_failures: int = 0,
    max_age_days: int | None = None,
) -> GateRules:
    """Replace the rules of a mission's gate. required_suites: names of suites, in any case; repeated ones count once.

    Raises ConstraintViolated (too_many_suites, min_tests_out_of_range, max_failures_out_of_range,
    max_age_out_of_range).
    """
    DeckMission.objects.lock(mission.pk)
    suites: dict[str, str] = {}
    for suite in filter(None, map(str.strip, required_suites)):
        suites.setdefault(suite.lower(), suite)
    rules, _created = GateRules.objects.update_or_create(
        mission=mission,
        defaults={
            "required_suites": list(suites.values()),
            "min_tests": min_tests,
            "max_failures": max_failures,
            "max_age_days": max_age_days,
            "updated_at": timezone.now(),
        },
    )
    audit(
        "test_gate.rules_changed",
        actor=actor,
        client_mission=mission.number,
        required_suites=", ".join(rules.required_suites),
        min_tests=min_tests,
        max_failures=max_failures,
        max_age_days=max_age_days,
    )
    return rules


@service
def confirm_baseline(*, actor: Member, mission: DeckMission, reason: str) -> GateBaseline:
    """Make the runs that decide now the baseline, so that later runs are compared with them.

    Raises ConstraintViolated (baseline_reason_missing), NothingToConfirm if no test ran.
    """
    if not reason.strip():
        raise violated("deck_gate_baselines_reason_not_empty", field="reason")
    DeckMission.objects.lock(mission.pk)
    runs = counted_runs(mission)
    if not sum(tests for _run, tests in runs):
        raise NothingToConfirm
    made = GateBaseline.objects.create(
        mission=mission,
        runs=[run for run, _tests in runs],
        tests=sum(tests for _run, tests in runs),
        reason=reason.strip(),
        by=actor,
    )
    audit("test_gate.baseline_confirmed", actor=actor, client_mission=mission.number, tests=made.tests)
    return made


@service
def confirm_vanished_tests(
    *, actor: Member, mission: DeckMission, tests: Sequence[str], reason: str
) -> list[VanishedTest]:
    """Confirm by name that tests of the baseline no longer run.

    Raises NothingToConfirm if one of them has not vanished, ConstraintViolated (reason_missing).
    """
    DeckMission.objects.lock(mission.pk)
    named = list(dict.fromkeys(tests))
    if not named or not set(named) <= set(vanished_tests_of(mission)):
        raise NothingToConfirm
    made = VanishedTest.objects.bulk_create(
        [VanishedTest(mission=mission, test=test, reason=reason.strip(), by=actor) for test in named]
    )
    audit("test_gate.vanished_confirmed", actor=actor, client_mission=mission.number, tests=len(made))
    return made
