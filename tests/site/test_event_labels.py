"""Every event type of the community's log has a label."""

import ast
from pathlib import Path

import pytest

from groups.rules import ENTRY_MOVES, INVITATION_MOVES, TASK_MOVES
from missionsite.common.audit.events import (
    _fields,
    _hidden,
    event_changes,
    event_details,
    event_label,
    event_labels,
    field_label,
)

CHECKOUT = Path(__file__).parents[2]


# Arguments of audit() that are no fields of the payload.
LINKS = {"actor", "member", "group", "project", "changed"}


def fields_in(file: Path) -> set[str]:
    """Return the fields of payloads that a module records."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {
        keyword.arg
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("audit", "audit_changes")
        for keyword in call.keywords
        if keyword.arg
    } - LINKS


def types_in(file: Path) -> set[str]:
    """Return the event types that a module records; those with a project are in the log of the projects."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("audit", "audit_changes")
        if call.args and isinstance(call.args[0], ast.Constant)
        if not {"project", "mission"} & {keyword.arg for keyword in call.keywords}
    }


@pytest.mark.parametrize("app", ["groups", "engagement", "fallback", "missiondeck", "missionsite"])
def test_event_types_have_labels(app):
    recorded = set().union(*(types_in(file) for file in (CHECKOUT / app).rglob("*.py")))
    assert recorded - event_labels().keys() == set()


def test_event_types_of_moves_have_labels():
    recorded = {move.event for moves in (ENTRY_MOVES, INVITATION_MOVES, TASK_MOVES) for move in moves.values()}
    assert recorded - {""} - event_labels().keys() == set()


def test_unknown_event_type_is_readable():
    assert event_label("chess_game.lost") == "Chess game: lost"


@pytest.mark.parametrize("app", ["groups", "engagement", "fallback", "missiondeck", "missionsite/common"])
def test_fields_of_events_have_labels(app):
    recorded = set().union(*(fields_in(file) for file in (CHECKOUT / app).rglob("*.py")))
    assert recorded - _fields.keys() - _hidden == set()


def test_unknown_field_is_readable():
    assert field_label("chess_game_id") == "Chess game"


def test_details_have_labels_and_choices():
    payload = {"kind": "MENTORED", "stable_id": "FE-P-00001", "membership": "1f0a"}
    assert event_details(payload) == [("Kind", "Mentored"), ("Stable ID", "FE-P-00001")]


def test_changes_have_labels_and_choices():
    payload = {"changed": {"priority": [3, 5], "is_active": [True, False], "email": "changed"}}
    assert event_changes(payload) == [("Active", "yes", "no"), ("Priority", "Normal", "Highest")]
    assert event_details(payload) == [
        ("Active", "yes → no"),
        ("Priority", "Normal → Highest"),
        ("E-mail", "changed"),
    ]


def test_roles_have_labels():
    assert event_details({"changed": {"role": [None, "reviewer"]}}) == [("Role", "empty → Reviewer")]
    assert event_details({"role": "Mentor"}) == [("Role", "Mentor")]


def test_times_in_details_are_formatted():
    assert event_details({"until": "2026-12-24T18:30:00+00:00"}) == [("Until", "24 Dec 2026 18:30")]
