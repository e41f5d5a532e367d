"""Every event type of the community's log has a label."""

import ast
from pathlib import Path

import pytest

from groups.rules import ENTRY_MOVES, INVITATION_MOVES, TASK_MOVES
from missionsite.common.audit.events import event_label, event_labels

CHECKOUT = Path(__file__).parents[2]


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
