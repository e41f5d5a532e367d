"""The gate of a client mission: which runs decide, and which rules are met."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils.dateparse import parse_datetime
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext

from missiondeck.errors import suite_label
from missiondeck.models import DeckMission


@dataclass(frozen=True)
class Check:
    """One rule of a gate. rule: its name. value: what it demands and what there is, as a sentence."""

    rule: str
    label: str
    value: str
    is_met: bool
    run: str = ""


def gate_of(mission: DeckMission) -> dict:
    """The state of the gate as deck_gate() returns it:

    {"commit", "runs": [{"run", "suite", "environment", "status", "tests", "failures", "is_green", "is_latest"}],
    "open": [{"run", "suite"}], "later": {"run", "status"} or None, "required_suites", "missing_suites", "tests",
    "min_tests", "is_min_tests_stated", "failures", "max_failures", "ran_at", "max_age_days", "is_too_old",
    "baseline": {"tests", "at", "reason"} or None, "vanished": a count, "vanished_tests": up to 50 names,
    "quarantined": a count of tests that failed in quarantine, "quarantined_tests": up to 50 names}
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT deck_gate(%s)", [mission.pk])
        return json.loads(cursor.fetchone()[0])


def gate_and_missing(mission: DeckMission) -> tuple[dict, list[dict]]:
    """The state of the gate as in gate_of(), and what is missing as in missing_of(), evaluated once for both."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.gate, deck_missing_of(%s, g.gate) FROM (SELECT deck_gate(%s) AS gate OFFSET 0) g",
            [mission.pk, mission.pk],
        )
        gate, missing = cursor.fetchone()
        return json.loads(gate), json.loads(missing)


def counted_runs(mission: DeckMission) -> list[tuple[UUID, int]]:
    """The runs that decide now, and how many tests ran in each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT run_id, tests FROM deck_gate_runs(%s)", [mission.pk])
        return cursor.fetchall()


def vanished_tests_of(mission: DeckMission) -> list[str]:
    """The tests of the baseline that do not run now and are not confirmed, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT v FROM deck_vanished_tests_of(%s) AS v ORDER BY 1", [mission.pk])
        return [row[0] for row in cursor.fetchall()]


def checks_of(gate: dict) -> list[Check]:
    """The checklist of a gate, from gate_of()."""
    runs, opened = gate["runs"], gate["open"]
    checks = [_suite_check(run) for run in runs]
    checks += [Check("suite", suite, gettext("has not run"), is_met=False) for suite in gate["missing_suites"]]
    if not runs and not gate["missing_suites"]:
        checks.append(Check("suite", gettext("Test run"), gettext("none yet"), is_met=False))
    count = len(opened)
    checks.append(
        Check(
            "open",
            gettext("Runs in progress"),
            ngettext("%(count)s run", "%(count)s runs", count) % {"count": count} if count else gettext("none"),
            is_met=not count,
            run=opened[0]["run"] if opened else "",
        )
    )
    if later := gate["later"]:
        value = gettext("still running") if later["status"] == "running" else gettext("failed")
        checks.append(Check("later", gettext("Other run"), value, is_met=False, run=later["run"]))
    if gate["max_failures"]:
        values = {"count": f"{gate['failures']:,}", "limit": f"{gate['max_failures']:,}"}
        text = gettext("%(count)s; at most %(limit)s may fail") % values
        checks.append(Check("failures", gettext("Failed tests"), text, is_met=gate["failures"] <= gate["max_failures"]))
    if gate["quarantined"]:
        checks.append(_quarantine_check(gate))
    checks.append(_tests_check(gate))
    if gate["baseline"]:
        count = gate["vanished"]
        text = ngettext("%(count)s not confirmed", "%(count)s not confirmed", count) % {"count": f"{count:,}"}
        checks.append(
            Check("vanished", gettext("Vanished tests"), text if count else gettext("none"), is_met=not count)
        )
    if gate["max_age_days"]:
        checks.append(_age_check(gate))
    return checks


def _suite_check(run: dict) -> Check:
    values = {"tests": f"{run['tests']:,}", "failures": f"{run['failures']:,}"}
    quarantined = run["is_green"] and run["status"] == "failed" and not run["failures"]
    if run["status"] == "running":
        value = gettext("still running")
    elif quarantined:
        value = ngettext(
            "%(tests)s test, failures only in quarantine", "%(tests)s tests, failures only in quarantine", run["tests"]
        )
        value %= values
    elif run["failures"]:
        value = gettext("%(tests)s tests, %(failures)s failed") % values
    elif run["tests"]:
        value = ngettext("%(tests)s test, none failed", "%(tests)s tests, none failed", run["tests"]) % values
    else:
        value = gettext("no tests ran")
    label = suite_label(run) if run["suite"] or run["environment"] else gettext("Latest test run")
    return Check("suite", label, value, is_met=run["is_green"], run=run["run"])


def _quarantine_check(gate: dict) -> Check:
    """Failures that do not close the gate stay visible."""
    count, tests = gate["quarantined"], gate["quarantined_tests"]
    named = "; ".join(tests[:5])
    if count > 5:
        named = gettext("%(items)s; and %(count)s more") % {"items": named, "count": f"{count - 5:,}"}
    text = ngettext("%(count)s failed: %(tests)s", "%(count)s failed: %(tests)s", count)
    return Check(
        "quarantine", gettext("Tests in quarantine"), text % {"count": f"{count:,}", "tests": named}, is_met=True
    )


def _tests_check(gate: dict) -> Check:
    least = gate["min_tests"]
    if least is None:
        text = gettext("%(count)s ran; there is no baseline yet") % {"count": f"{gate['tests']:,}"}
    else:
        text = gettext("%(count)s ran; at least %(limit)s required") % {
            "count": f"{gate['tests']:,}",
            "limit": f"{least:,}",
        }
    return Check("tests", gettext("Number of tests"), text, is_met=least is None or gate["tests"] >= least)


def _age_check(gate: dict) -> Check:
    ran_at = parse_datetime(gate["ran_at"] or "")
    days = gate["max_age_days"]
    limit = ngettext("at most %(count)s day", "at most %(count)s days", days) % {"count": days}
    if ran_at is None:
        return Check("age", gettext("Age"), limit, is_met=False)
    text = gettext("%(age)s ago; %(limit)s") % {"age": timesince(ran_at, depth=1), "limit": limit}
    return Check("age", gettext("Age"), text, is_met=not gate["is_too_old"])
