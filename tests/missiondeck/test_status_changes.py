"""Status changes of client missions: allowed steps, completion, overrides and records."""

from datetime import timedelta

import pghistory
import pytest
from django.utils import timezone

from groups.models import Member
from missiondeck.errors import (
    ChecklistClosed,
    NotDone,
    StatusChangeRejected,
    StepBackReasonMissing,
)
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, RunStatus, TestRun
from missiondeck.rules import STATUS_MOVES
from missiondeck.selectors.missions import missing_of
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missiondeck.services.missions import change_status
from missiondeck.services.runs import start_run
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import (
    FAILED,
    PASSED,
    complete_mission,
    items_of,
    mission,
    mission_in_qa,
)
from tests.support.database import rejected_by, row, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

PAIRS = [(before, after) for before in DeckStatus.values for after in DeckStatus.values]
STEPS = set(STATUS_MOVES)


def standing(status: str) -> DeckMission:
    """A mission in this status with nothing missing."""
    if status == "complete":
        return complete_mission()
    made = mission_in_qa()

    if status == "active":
        return change_status(mission=made, to="active", actor=MemberFactory(), reason="again")
    return made


def changes_of(of) -> list[tuple]:
    fields = ("from_status", "to_status", "reason", "is_override")
    return list(DeckStatusChange.objects.filter(mission=of).order_by("id").values_list(*fields))


# --- Every pair -------------------------------------------------------------------------------------


@pytest.mark.seed("001 status moves one step, back with a reason")
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_pair_of_statuses_by_service(before, after):
    made, actor = standing(before), MemberFactory()
    changes = len(changes_of(made))
    if before == after:
        assert change_status(mission=made, to=after, actor=actor, reason="because").status == before
        assert len(changes_of(made)) == changes
    elif (before, after) in STEPS:
        moved = change_status(mission=made, to=after, actor=actor, reason="because")
        assert moved.status == after
        assert changes_of(made)[changes:] == [(before, after, "because", False)]
        assert DeckStatusChange.objects.filter(mission=made).order_by("-id").first().by == actor
    else:
        with pytest.raises(StatusChangeRejected):
            change_status(mission=made, to=after, actor=actor, reason="because")
        made.refresh_from_db()
        assert (made.status, len(changes_of(made))) == (before, changes)


@pytest.mark.seed("001 missions.status", "001 status moves one step, back with a reason")
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_pair_of_statuses_by_raw_sql(before, after):
    made = standing(before)
    changes = len(changes_of(made))
    rows("SELECT set_config('app.reason', 'because', true), set_config('app.actor_id', '', true)")
    change = ("UPDATE deck_missions SET status = %s WHERE id = %s", [after, made.pk])
    if before == after:
        rows(*change)
        assert len(changes_of(made)) == changes
    elif (before, after) in STEPS:
        rows(*change)
        assert changes_of(made)[changes:] == [(before, after, "because", False)]
    else:
        with rejected_by("deck_missions_one_step"):
            rows(*change)


@pytest.mark.seed("001 status moves one step, back with a reason")
@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
@pytest.mark.parametrize(("before", "after"), [move for move, needs_reason in STATUS_MOVES.items() if needs_reason])
def test_step_back_needs_reason(before, after, reason):
    made = standing(before)
    with pytest.raises(StepBackReasonMissing):
        change_status(mission=made, to=after, actor=MemberFactory(), reason=reason)
    rows("SELECT set_config('app.reason', %s, true)", [reason])
    with rejected_by("deck_missions_reason_required"):
        rows("UPDATE deck_missions SET status = %s WHERE id = %s", [after, made.pk])


@pytest.mark.parametrize(("before", "after"), [move for move, needs_reason in STATUS_MOVES.items() if not needs_reason])
def test_step_forward_needs_no_reason(before, after):
    moved = change_status(mission=standing(before), to=after, actor=MemberFactory())
    assert changes_of(moved)[-1] == (before, after, "", False)


def test_status_change_belongs_to_changeset():
    made = mission_in_qa()
    with pghistory.context() as changeset:
        change_status(mission=made, to="active", actor=MemberFactory(), reason="because")
    assert DeckStatusChange.objects.get(changeset_id=changeset.id).to_status == "active"


def test_reason_is_limited_to_transaction(transactional_db):
    made = mission_in_qa()
    change_status(mission=made, to="active", actor=MemberFactory(), reason="the client wants more")
    change_status(mission=made, to="qa", actor=Member.objects.system())
    with pytest.raises(StepBackReasonMissing):
        change_status(mission=made, to="active", actor=Member.objects.system())
    assert changes_of(made)[1:] == [("qa", "active", "the client wants more", False), ("active", "qa", "", False)]


# --- Complete ---------------------------------------------------------------------------------------


def test_completion_records_member_and_time():
    made, actor, before = mission_in_qa(), MemberFactory(), timezone.now()
    done = change_status(mission=made, to="complete", actor=actor)
    assert (done.status, done.completed_by, done.override_reason) == ("complete", actor, "")
    assert before <= done.completed_at <= timezone.now()
    back = change_status(mission=done, to="qa", actor=actor, reason="a fault")
    assert (back.completed_at, back.completed_by, back.override_reason) == (None, None, "")
    # The status changes keep it.
    assert DeckStatusChange.objects.filter(mission=made, to_status="complete").get().by == actor


def test_raw_sql_cannot_complete_unfinished_mission():
    made = mission_in_qa()
    rows("UPDATE deck_missions SET status = 'complete' WHERE id = %s", [made.pk])
    assert row("SELECT completed_at = now(), completed_by_id FROM deck_missions WHERE id = %s", [made.pk]) == (
        True,
        None,
    )


@pytest.mark.parametrize("status", ["active", "complete"])
def test_completion_time_of_open_mission_is_dropped(status):
    made = mission_in_qa()
    rows("SELECT set_config('app.reason', 'because', true)")
    rows("UPDATE deck_missions SET status = 'active', completed_at = now() WHERE id = %s", [made.pk])
    assert row("SELECT completed_at FROM deck_missions WHERE id = %s", [made.pk]) == (None,)


MISSING = {
    "nothing at all": (
        {"items": 0, "run": []},
        [{"what": "no_items"}, {"what": "no_test_run"}],
        "This mission cannot be completed yet. The definition of done has no items. There is no test run yet.",
    ),
    "one open item": (
        {"items": 1, "done": False},
        [{"what": "open_items", "count": 1, "items": ["Item 0"]}],
        "This mission cannot be completed yet. 1 item is open: Item 0.",
    ),
    "two open items": (
        {"items": 2, "done": False},
        [{"what": "open_items", "count": 2, "items": ["Item 0", "Item 1"]}],
        "This mission cannot be completed yet. 2 items are open: Item 0; Item 1.",
    ),
    "no run": (
        {"run": []},
        [{"what": "no_test_run"}],
        "This mission cannot be completed yet. There is no test run yet.",
    ),
    "a failed run": (
        {"run": [PASSED, FAILED]},
        [{"what": "test_run", "status": "failed"}],
        "This mission cannot be completed yet. The latest test run failed.",
    ),
    "an open item and a failed run": (
        {"items": 1, "done": False, "run": [FAILED]},
        [{"what": "open_items", "count": 1, "items": ["Item 0"]}, {"what": "test_run", "status": "failed"}],
        "This mission cannot be completed yet. 1 item is open: Item 0. The latest test run failed.",
    ),
    "a run that tested nothing": (
        {"run": [{"name": "test_a", "status": "skipped"}]},
        [{"what": "test_run", "status": "failed"}],
        "This mission cannot be completed yet. The latest test run failed.",
    ),
}


@pytest.mark.seed("001 complete means complete; a rejection lists what is missing")
@pytest.mark.parametrize(("state", "missing", "sentence"), MISSING.values(), ids=MISSING)
def test_rejection_lists_everything_missing(state, missing, sentence):
    made = mission_in_qa(**state)
    assert missing_of(made) == missing
    with pytest.raises(NotDone) as rejected:
        change_status(mission=made, to="complete", actor=MemberFactory())
    assert rejected.value.missing == missing
    assert str(rejected.value) == sentence
    with rejected_by("deck_missions_complete_is_done"):
        rows("UPDATE deck_missions SET status = 'complete', completed_at = now() WHERE id = %s", [made.pk])
    made.refresh_from_db()
    assert (made.status, made.completed_at) == ("qa", None)


def test_rejection_names_twenty_items_and_counts_rest():
    made = mission_in_qa(items=23, done=False)
    with pytest.raises(NotDone, match=r"23 items are open: Item 0; .*; Item 19; and 3 more\."):
        change_status(mission=made, to="complete", actor=MemberFactory())


def test_latest_run_decides():
    other = mission_in_qa(run=[])
    for days, status in ((2, "failed"), (1, "passed")):
        finished_run(other, status, days=days)
    assert missing_of(other) == []
    finished_run(other, "failed", days=0)
    assert missing_of(other) == [{"what": "test_run", "status": "failed"}]


def finished_run(of, status, *, days=0):
    return TestRun.objects.create(
        mission=of,
        status=status,
        results=[{"name": "test_a", "status": status}],
        created_at=timezone.now() - timedelta(days=days),
    )


def test_running_run_is_missing():
    made = mission_in_qa(run=[])
    finished_run(made, "passed", days=1)
    assert start_run(mission=made, actor=Member.objects.system()).status == RunStatus.RUNNING
    with pytest.raises(NotDone, match=r"The latest test run is still running\."):
        change_status(mission=made, to="complete", actor=MemberFactory())


def test_items_and_runs_of_other_mission_do_not_count():
    mission_in_qa(items=1, done=False, run=[FAILED])
    made = mission_in_qa()
    mission_in_qa(items=1, done=False, run=[FAILED])
    assert missing_of(made) == []


# --- Override ---------------------------------------------------------------------------------------


@pytest.mark.seed("001 an override keeps who, why, when and what was missing")
def test_override_records_member_reason_and_missing():
    made, lead = mission_in_qa(items=2, done=False, run=[FAILED]), MemberFactory()
    missing = missing_of(made)
    done = change_status(mission=made, to="complete", actor=lead, reason="  the client signed  ", override=True)
    assert (done.status, done.completed_by, done.override_reason) == ("complete", lead, "the client signed")
    move = DeckStatusChange.objects.filter(mission=made).latest("id")
    assert (move.is_override, move.reason, move.by, move.missing) == (True, "the client signed", lead, missing)
    assert move.created_at is not None
    assert [each["what"] for each in missing] == ["open_items", "test_run"]
    # The record remains when the mission moves back.
    back = change_status(mission=done, to="qa", actor=lead, reason="they took it back")
    assert (back.override_reason, back.completed_by) == ("", None)
    move.refresh_from_db()
    assert (move.is_override, move.missing) == (True, missing)


def test_override_is_not_recorded_if_nothing_is_missing():
    made = mission_in_qa()
    done = change_status(mission=made, to="complete", actor=MemberFactory(), reason="to be sure", override=True)
    assert done.override_reason == ""
    assert changes_of(made)[-1] == ("qa", "complete", "to be sure", False)


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_override_needs_reason(reason):
    made = mission_in_qa(items=0, run=[])
    with pytest.raises(ConstraintViolated, match="Enter a reason to complete"):
        change_status(mission=made, to="complete", actor=MemberFactory(), reason=reason, override=True)


@pytest.mark.seed("001 an override keeps who, why, when and what was missing")
def test_override_by_raw_sql_needs_actor():
    made = mission_in_qa(items=0, run=[])
    with rejected_by("deck_missions_override_reason_required"):
        rows("UPDATE deck_missions SET status = 'complete', override_reason = 'because' WHERE id = %s", [made.pk])
    made.refresh_from_db()
    assert made.status == "qa"


@pytest.mark.parametrize("reason", [" ", "\n"])
def test_override_by_raw_sql_needs_text(reason):
    made, lead = mission_in_qa(items=0, run=[]), MemberFactory()
    with rejected_by("deck_missions_complete_is_done"):
        rows(
            """UPDATE deck_missions SET status = 'complete', override_reason = %s, completed_by_id = %s
               WHERE id = %s""",
            [reason, lead.pk, made.pk],
        )


def test_override_cannot_skip_status():
    made = mission()
    with pytest.raises(StatusChangeRejected):
        change_status(mission=made, to="complete", actor=MemberFactory(), reason="because", override=True)


# --- Locked checklist of a complete mission ---------------------------------------------------------


@pytest.mark.seed("001 the definition of done of a complete mission is closed")
@pytest.mark.parametrize(
    "change",
    [
        lambda made, item: add_item(actor=Member.objects.system(), mission=made, text="One more"),
        lambda made, item: update_item(actor=Member.objects.system(), item=item, text="Otherwise"),
        lambda made, item: tick_item(item=item, done=False, actor=Member.objects.system()),
        lambda made, item: remove_item(actor=Member.objects.system(), item=item),
        lambda made, item: move_item(actor=Member.objects.system(), item=item, to=1),
    ],
    ids=["add", "update", "untick", "remove", "move"],
)
def test_items_of_complete_mission_are_locked(change):
    made = complete_mission()
    before = rows("SELECT * FROM dod_items ORDER BY id")
    with pytest.raises(ChecklistClosed):
        change(made, items_of(made)[0])
    assert rows("SELECT * FROM dod_items ORDER BY id") == before
    back = change_status(mission=made, to="qa", actor=MemberFactory(), reason="a fault")
    change(back, items_of(back)[0])


@pytest.mark.seed("001 the definition of done of a complete mission is closed")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO dod_items (mission_id, text) VALUES (%s, 'One more')",
        "UPDATE dod_items SET completed = false, completed_at = NULL, completed_by_id = NULL WHERE mission_id = %s",
        "UPDATE dod_items SET text = 'Otherwise' WHERE mission_id = %s",
        "DELETE FROM dod_items WHERE mission_id = %s",
    ],
)
def test_items_of_complete_mission_are_locked_in_raw_sql(statement):
    made = complete_mission()
    with rejected_by("dod_items_closed"):
        rows(statement, [made.pk])


def test_item_cannot_change_mission():
    made, other = mission_in_qa(), mission()
    with rejected_by("dod_items_mission_immutable"):
        rows("UPDATE dod_items SET mission_id = %s WHERE mission_id = %s", [other.pk, made.pk])
    # An open item cannot be moved into a complete mission either.
    done = complete_mission()
    add_item(actor=Member.objects.system(), mission=other, text="Open")
    with rejected_by("dod_items_mission_immutable"):
        rows("UPDATE dod_items SET mission_id = %s WHERE mission_id = %s", [done.pk, other.pk])


@pytest.mark.seed("001 complete means complete; a rejection lists what is missing")
def test_upsert_follows_status_rules():
    made = mission_in_qa(items=1, done=False)
    with rejected_by("deck_missions_complete_is_done"):
        rows(
            """INSERT INTO deck_missions (id, number, title, client, budget, deadline, assigned_to)
               SELECT id, number, title, client, budget, deadline, assigned_to FROM deck_missions WHERE id = %s
               ON CONFLICT (id) DO UPDATE SET status = 'complete'""",
            [made.pk],
        )
    with rejected_by("deck_missions_complete_is_done"):
        rows(
            """MERGE INTO deck_missions d USING (SELECT %s::uuid AS id) s ON s.id = d.id
               WHEN MATCHED THEN UPDATE SET status = 'complete'""",
            [made.pk],
        )
