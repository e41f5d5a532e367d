"""Counts and status of runs in the database, without services."""

import pytest
from django.db import transaction

from fallback.models import MissionEvent, ProjectActivity
from tests.support.database import commit, heard, listening, row, rows
from tests.support.factories.fallback import ItemFactory, RunFactory, accept_as_rows, discard_as_rows, take_back_as_rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def of_run(run) -> tuple[str, int, int, int]:
    run.refresh_from_db()
    return run.status, run.generated_count, run.accepted_count, run.discarded_count


@pytest.mark.deletes("mission_fallback_items")
@pytest.mark.seed("004 triggers keep the counts of runs")
def test_counts_and_status_follow_items():
    first, second, third = ItemFactory.create_batch(3, run=RunFactory())
    run = first.run
    assert of_run(run) == ("awaiting_review", 3, 0, 0)
    accept_as_rows(first)
    discard_as_rows(second)
    assert of_run(run) == ("awaiting_review", 3, 1, 1)
    assert run.completed_at is None
    discard_as_rows(third)
    assert of_run(run) == ("completed", 3, 1, 2)
    assert run.completed_at is not None
    commit()
    take_back_as_rows(first)
    assert of_run(run) == ("awaiting_review", 3, 0, 2)
    assert run.completed_at is None
    rows("DELETE FROM mission_fallback_items WHERE id = %s", [first.pk])
    assert of_run(run) == ("completed", 2, 0, 2)


def test_counts_follow_item_moved_to_another_run():
    item = ItemFactory()
    other = RunFactory(project=item.project)
    discard_as_rows(item)
    rows("UPDATE mission_fallback_items SET mission_fallback_run_id = %s", [other.pk])
    assert of_run(item.run)[1:] == (0, 0, 0)
    assert of_run(other)[1:] == (1, 0, 1)


@pytest.mark.seed("004 triggers keep the counts of runs")
def test_counts_of_run_cannot_be_set():
    run = ItemFactory().run
    rows("UPDATE mission_fallback_runs SET generated_count = 9, accepted_count = 8, discarded_count = 1")
    assert of_run(run)[1:] == (1, 0, 0)
    assert of_run(RunFactory(generated_count=5, accepted_count=5))[1:] == (0, 0, 0)


def test_run_with_open_proposal_cannot_be_completed():
    run = ItemFactory().run
    rows("UPDATE mission_fallback_runs SET status = 'completed'")
    assert of_run(run)[0] == "awaiting_review"


@pytest.mark.parametrize("status", ["pending", "cancelled", "errored"])
def test_other_status_is_kept(status):
    run = RunFactory(status=status)
    discard_as_rows(ItemFactory(run=run))
    assert of_run(run) == (status, 1, 0, 1)
    assert (run.completed_at is None) == (status == "pending")


@pytest.mark.seed("004 summary when a run completes")
def test_completed_run_adds_one_summary_to_both_timelines():
    member = MemberFactory()
    rows("SELECT set_config('app.actor_id', %s, true)", [str(member.pk)])
    first, second = ItemFactory.create_batch(2, run=RunFactory())
    accept_as_rows(first)
    discard_as_rows(second)
    rows("UPDATE mission_fallback_runs SET error = 'looked at again'")
    summary = {"runId": first.run_id, "generated": 2, "accepted": 1, "discarded": 1}
    for record in (MissionEvent, ProjectActivity):
        event = record.objects.get(type="fallback.run_completed")
        assert (event.project, event.origin, event.actor) == (first.project, "fallback", member)
        assert event.payload == summary


def test_run_completed_again_adds_another_summary():
    item = ItemFactory()
    accept_as_rows(item)
    commit()
    take_back_as_rows(item)
    discard_as_rows(item)
    accepted = [
        payload["accepted"]
        for payload in ProjectActivity.objects.filter(type="fallback.run_completed").values_list("payload", flat=True)
    ]
    assert sorted(accepted) == [0, 1]


def test_change_of_run_clears_report_path():
    item = ItemFactory()
    rows("UPDATE mission_fallback_runs SET report_path = 'fallback/it.json'")
    discard_as_rows(item)
    assert row("SELECT report_path FROM mission_fallback_runs") == ("",)


@pytest.mark.seed("004 channel project:{id}:fallback")
def test_payload_equals_notification():
    run = ItemFactory().run
    run.refresh_from_db()
    assert run.payload == {
        "runId": run.pk, "projectId": run.project_id, "status": "awaiting_review", "generated": 1, "accepted": 0,
        "discarded": 0,
    }  # fmt: skip


@pytest.mark.seed("004 channel project:{id}:fallback")
@pytest.mark.django_db(transaction=True)
def test_notification_is_sent_at_commit():
    run = RunFactory()
    channel = f"project:{run.project_id}:fallback"
    with listening(channel, "fallback") as listener:
        with transaction.atomic():
            discard_as_rows(ItemFactory(run=run))
            transaction.set_rollback(True)
        discard_as_rows(*ItemFactory.create_batch(2, run=run))
        # Two items one by one, then both discarded: three states, each on both channels.
        notices = heard(listener, 6)
    run.refresh_from_db()
    assert [payload for on, payload in notices if on == channel] == [
        payload for on, payload in notices if on != channel
    ]
    assert [(n["generated"], n["discarded"]) for on, n in notices if on == channel] == [(1, 0), (2, 0), (2, 2)]
    assert notices[-1][1] == run.payload
