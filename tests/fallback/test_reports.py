"""Reports of runs: content, and consistency after a process is killed."""

import json
import os
import random
import signal
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from fallback.models import MissionFallbackRun
from fallback.models.choices import RunStatus
from fallback.rules import ENDED_RUN_STATUSES
from fallback.services import reports
from fallback.services.missions import create_mission
from fallback.services.reports import FOLDER, build_report, path_of, read_report, repair_reports
from fallback.services.review import accept_item, discard_item, mark_duplicate, undo_decision
from fallback.services.runs import cancel_run, launch_template, run_fallback
from groups.models import Member
from missionsite.common import documents
from tests.fallback.proposals import a_project, a_review
from tests.support.concurrency import ROUNDS
from tests.support.factories.fallback import RunFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def fresh(run) -> MissionFallbackRun:
    return MissionFallbackRun.objects.get(pk=run.pk)


def an_ended_run() -> MissionFallbackRun:
    (item,) = a_review(1)
    discard_item(actor=Member.objects.system(), item=item, feedback="no")
    return fresh(item.run)


def reports_there() -> set[str]:
    return set(documents.names(FOLDER))


def age(root, *, minutes: int = 2) -> None:
    """Set the age of all documents."""
    for path in root.rglob("*.json"):
        then = path.stat().st_mtime - 60 * minutes
        os.utime(path, (then, then))


# --- Content ----------------------------------------------------------------------------------


@pytest.mark.seed("004 solo-unicorn-docs/fallback/{runId}.json")
def test_report_has_proposals_and_decisions(documents_root):
    items, ana = a_review(3), MemberFactory(display_name="Ana Secret", email="ana.secret@example.org")
    run, project = items[0].run, items[0].project
    other = create_mission(actor=Member.objects.system(), project=project, title="Other")
    mission = accept_item(actor=ana, item=items[0], at=NOW, title="Edited", estimated_effort_minutes=30)
    discard_item(actor=ana, item=items[1], feedback="Not now", at=NOW)
    assert read_report(fresh(run)) == ""
    duplicate = mark_duplicate(actor=Member.objects.system(), item=items[2], mission=other)
    run = fresh(run)
    assert run.report_path == f"solo-unicorn-docs/fallback/{run.pk}.json"
    text = (documents_root / run.report_path).read_text()
    assert read_report(run) == text
    assert "Secret" not in text
    assert "secret@" not in text
    report = json.loads(text)
    assert {key: value for key, value in report.items() if key != "items"} == {
        "runId": run.pk,
        "projectId": project.pk,
        "triggeredBy": "manual",
        "status": "completed",
        "startedAt": run.started_at.isoformat(),
        "completedAt": run.completed_at.isoformat(),
        "backlog": {"before": None, "threshold": None},
        "generated": 3,
        "accepted": 1,
        "discarded": 2,
        "skipped": [],
        "error": None,
    }
    template = {"templateId": items[0].template_id, "template": items[0].template.name, "priority": 3}
    nothing = {"missionId": None, "duplicateOf": None, "reason": None, "feedback": None}
    assert sorted(report["items"], key=lambda item: item["itemId"] != items[0].pk)[0] == template | nothing | {
        "itemId": items[0].pk,
        "title": "Edited",
        "estimatedEffortMinutes": 30,
        "status": "accepted",
        "missionId": mission.pk,
        "reviewer": ana.member_id,
        "reviewedAt": NOW.isoformat(),
    }
    found = {item["itemId"]: item for item in report["items"]}
    assert (found[items[1].pk]["feedback"], found[items[1].pk]["status"]) == ("Not now", "discarded")
    assert (found[items[2].pk]["reason"], found[items[2].pk]["duplicateOf"]) == ("duplicate", other.pk)
    assert found[items[2].pk]["reviewedAt"] == duplicate.reviewed_at.isoformat()
    assert found[items[2].pk]["reviewer"] == Member.objects.system().member_id


@pytest.mark.seed("004 solo-unicorn-docs/fallback/{runId}.json")
def test_every_ended_run_has_report():
    project = a_project(templates=2, auto_accept=True, weekly_mission_cap=3)
    completed = run_fallback(actor=Member.objects.system(), project=project)
    launch_template(actor=Member.objects.system(), template=a_project(templates=1).fallback_templates.get())
    errored = run_fallback(actor=Member.objects.system(), project=a_project())
    cancelled = cancel_run(actor=Member.objects.system(), run=a_review(2)[0].run)
    runs = MissionFallbackRun.objects.all()
    assert {run.status for run in runs} == set(ENDED_RUN_STATUSES)
    for run in runs:
        assert json.loads(read_report(run)) == json.loads(json.dumps(build_report(run)))
    assert len(json.loads(read_report(fresh(completed)))["skipped"]) == 2
    assert json.loads(read_report(fresh(errored)))["error"].startswith("No template is enabled")
    assert json.loads(read_report(fresh(cancelled)))["items"][0]["reason"] == "run_cancelled"


def test_many_decisions_in_transaction_write_one_report():
    with CaptureQueriesContext(connection) as seen:
        run = run_fallback(actor=Member.objects.system(), project=a_project(templates=2, auto_accept=True))
    assert fresh(run).accepted_count == 5
    noted = 'UPDATE "mission_fallback_runs" SET "report_path"'
    assert sum(noted in query["sql"] for query in seen.captured_queries) == 1


def test_open_run_has_no_report():
    run = run_fallback(actor=Member.objects.system(), project=a_project(templates=1))
    assert (run.status, run.report_path) == (RunStatus.AWAITING_REVIEW, "")
    assert not reports.write_report(run.pk)
    assert not reports.write_report("0" * 26)
    assert reports_there() == set()


def test_reopened_run_gets_new_complete_report(documents_root):
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item)
    before = fresh(item.run)
    first = json.loads(read_report(before))
    undo_decision(actor=ana, item=item)
    # The file still exists, but is not the report of the run any more.
    assert read_report(fresh(item.run)) == ""
    discard_item(actor=ana, item=item, feedback="On second thoughts")
    second = json.loads(read_report(fresh(item.run)))
    assert [(each["accepted"], each["discarded"]) for each in (first, second)] == [(1, 0), (0, 1)]
    assert [path.name for path in documents_root.rglob("*") if path.is_file()] == [f"{item.run_id}.json"]


def test_rolled_back_decision_writes_no_report():
    (item,) = a_review(1)
    with transaction.atomic():
        discard_item(actor=Member.objects.system(), item=item, feedback="no")
        transaction.set_rollback(True)
    assert reports_there() == set()
    assert fresh(item.run).report_path == ""


def test_failed_report_does_not_block_decision(documents_root, caplog):
    documents_root.write_text("where the folder should be")
    run = an_ended_run()
    assert (run.status, run.report_path) == (RunStatus.COMPLETED, "")
    assert f"report of run {run.pk} not written; repair_reports will retry" in caplog.text
    documents_root.unlink()
    assert repair_reports() == {"written": 1, "removed": 0}
    assert json.loads(read_report(fresh(run)))["discarded"] == 1


# --- Repair -----------------------------------------------------------------------------------


def test_repair_keeps_complete_reports(documents_root):
    run = an_ended_run()
    age(documents_root)
    before = {path: path.stat().st_mtime_ns for path in documents_root.rglob("*")}
    assert repair_reports() == {"written": 0, "removed": 0}
    assert {path: path.stat().st_mtime_ns for path in documents_root.rglob("*")} == before
    assert read_report(run)


def test_repair_writes_missing_report(documents_root):
    run = an_ended_run()
    text = read_report(run)
    (documents_root / run.report_path).unlink()
    assert read_report(run) == ""
    assert repair_reports(since=run.completed_at + timedelta(seconds=1)) == {"written": 0, "removed": 0}
    assert repair_reports(since=run.completed_at) == {"written": 1, "removed": 0}
    assert read_report(run) == text


def test_repair_deletes_report_without_ended_run(documents_root):
    ended = an_ended_run()
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item)
    undo_decision(actor=ana, item=item)
    documents.write(path_of("0" * 26), b"{}")
    # A recent document may belong to a run whose end is not committed yet.
    assert repair_reports() == {"written": 0, "removed": 0}
    age(documents_root)
    assert repair_reports() == {"written": 0, "removed": 2}
    assert reports_there() == {path_of(ended.pk)}


def test_repair_touches_only_reports(documents_root):
    kept = ["solo-unicorn-docs/missions/one/solution.md", "plan.json", f"{FOLDER}/notes.txt"]
    for name in kept:
        documents.write(name, b"kept")
    for path in documents_root.rglob("*"):
        os.utime(path, (0, 0))
    assert repair_reports() == {"written": 0, "removed": 0}
    assert set(documents.names()) == set(kept)


def test_document_in_subfolder_is_not_a_report(documents_root):
    run = an_ended_run()
    documents.write(f"{FOLDER}/old/{run.pk}.json", b"{}")
    (documents_root / run.report_path).unlink()
    assert repair_reports() == {"written": 1, "removed": 0}
    assert json.loads(read_report(run))["runId"] == run.pk


@pytest.mark.deletes("mission_fallback_runs", "mission_fallback_items")
def test_repair_deletes_report_of_deleted_run(documents_root):
    run = an_ended_run()
    MissionFallbackRun.objects.filter(pk=run.pk).delete()
    age(documents_root)
    assert repair_reports() == {"written": 0, "removed": 1}
    assert reports_there() == set()


def test_repair_takes_fixed_number_of_queries(documents_root):
    def questions() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert repair_reports() == {"written": 0, "removed": 0}
        return len(seen)

    an_ended_run()
    few = questions()
    for _number in range(20):
        an_ended_run()
    assert questions() == few


def test_repair_handles_more_than_one_batch(monkeypatch, documents_root):
    monkeypatch.setattr(reports, "BATCH", 3)
    for _number in range(8):
        RunFactory(status=RunStatus.CANCELLED)
    assert repair_reports() == {"written": 8, "removed": 0}
    assert len(reports_there()) == 8


# --- Killed -----------------------------------------------------------------------------------


def here(reached: int) -> None:
    """Report that the step is reached, and wait for the kill."""
    os.write(reached, b".")
    while True:
        signal.pause()


def before_the_report(reached: int) -> None:
    documents.write = lambda name, content: here(reached)


def with_half_a_document(reached: int) -> None:
    os.replace = lambda *names, **folders: here(reached)


def between_the_report_and_the_run(reached: int) -> None:
    write = documents.write
    documents.write = lambda name, content: (write(name, content), here(reached))


def before_the_commit(reached: int) -> None:
    def stop(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith('UPDATE "mission_fallback_runs" SET "report_path"'):
            here(reached)
        return result

    connection.execute_wrappers.append(stop)


PLACES = [before_the_report, with_half_a_document, between_the_report_and_the_run, before_the_commit]


def killed(action, place=None, *, after: int = 1) -> None:
    """Run a function in another process, and kill it (SIGKILL) at a given step.

    place: puts the stop there in that process. Without one, `action` itself says how far it is, a byte a step, and the
    process is killed after so many steps, wherever it is then.
    """
    # Processes cannot share a connection.
    connections.close_all()
    heard, reached = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if place:
                place(reached)
            action(reached)
        finally:
            # Not reached where it was stopped; nothing of the test itself may run twice.
            os._exit(1)
    os.close(reached)
    try:
        steps = 0
        while steps < after and (received := os.read(heard, after - steps)):
            steps += len(received)
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it ended before it could be killed"
        assert steps == after
    finally:
        os.close(heard)


def all_is_reported(documents_root) -> None:
    """After a repair there are exactly the complete reports of ended runs."""
    age(documents_root)
    repair_reports()
    documents.tidy(timedelta(seconds=-5))
    ended = list(MissionFallbackRun.objects.filter(status__in=ENDED_RUN_STATUSES))
    assert [run.pk for run in ended if run.report_path != path_of(run.pk)] == []
    assert {str(path.relative_to(documents_root)) for path in documents_root.rglob("*") if path.is_file()} == {
        path_of(run.pk) for run in ended
    }
    for run in ended:
        assert json.loads(read_report(run)) == json.loads(json.dumps(build_report(run)))
    assert repair_reports() == {"written": 0, "removed": 0}


def whole(documents_root) -> None:
    """All documents are complete."""
    for name in documents.names(FOLDER):
        json.loads(documents.read(name))


def the_last_decision():
    items = a_review(2)
    discard_item(actor=Member.objects.system(), item=items[0], feedback="no")
    return items[0].run, lambda _reached: accept_item(actor=Member.objects.system(), item=items[1])


def a_cancellation():
    run = a_review(3)[0].run
    return run, lambda _reached: cancel_run(actor=Member.objects.system(), run=run)


def a_decision_made_anew():
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item)
    undo_decision(actor=ana, item=item)
    return item.run, lambda _reached: discard_item(actor=Member.objects.system(), item=item, feedback="no")


@pytest.mark.seed("004 killed between report and commit: no orphan that is not repaired, no half file")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("end", [the_last_decision, a_cancellation, a_decision_made_anew], ids=lambda end: end.__name__)
def test_kill_at_each_step_leaves_repairable_run(end, place, documents_root):
    for _round in range(min(4, ROUNDS)):
        run, action = end()
        killed(action, place)
        run = fresh(run)
        # The end is committed without a report: it needs the repair.
        assert (run.status in ENDED_RUN_STATUSES, run.report_path) == (True, "")
        whole(documents_root)
        all_is_reported(documents_root)


@pytest.mark.seed("004 killed between report and commit: no orphan that is not repaired, no half file")
def test_kill_at_any_time_leaves_repairable_state(documents_root):
    ana = MemberFactory()

    def decide_on(items):
        def action(reached):
            while True:
                for item in items:
                    discard_item(actor=ana, item=item, feedback="no")
                    os.write(reached, b".")
                    undo_decision(actor=ana, item=item)
                    os.write(reached, b".")

        return action

    for _round in range(12):
        items = [a_review(1)[0] for _number in range(3)]
        killed(decide_on(items), after=random.randint(1, 12))
        whole(documents_root)
        all_is_reported(documents_root)
    # Whether a kill falls between the end and the report is random; the test above covers each step.
    assert MissionFallbackRun.objects.filter(status__in=ENDED_RUN_STATUSES).exists()
