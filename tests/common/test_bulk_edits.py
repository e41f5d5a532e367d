"""Fields of many rows edited at once: preview, the form and service of each row, log, background job, undo."""

import re

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from fallback.models import Mission
from groups.models import CommunityMember, Event, Task
from groups.services.tasks import update_task
from missionsite.common import bulk_edits
from missionsite.common.admin import bulk_edit
from missionsite.common.admin import bulk_edits as pages
from missionsite.common.models import AuditEntry, BulkEdit, BulkEditRow
from missionsite.common.retention import rule_named
from missionsite.common.tasks import run_bulk_edit
from tests.support.admin import client, client_of, page_text, staff
from tests.support.database import rejected_by
from tests.support.factories.fallback import MissionFactory as BoardMissionFactory
from tests.support.factories.fallback import ProjectMemberFactory
from tests.support.factories.groups import EntryFactory, MemberFactory, StaffFactory, TaskFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/groups/task/bulk-edit/"
POINTS = {"change-reward_points": "1", "to-reward_points": "7"}


def previewed(answer) -> dict:
    """The field that allows to save what the preview shows."""
    return {"previewed": re.search(r'name="previewed" value="(\w+)"', answer.content.decode())[1], "apply": "1"}


def edit_rows(browser, values, page=PAGE):
    """Preview an edit and save it; returns the page of the edit."""
    return browser.post(page, values | previewed(browser.post(page, values)), follow=True)


def outcomes(edit) -> list[str]:
    return list(edit.rows.order_by("id").values_list("outcome", flat=True))


@pytest.fixture
def tasks():
    return [TaskFactory(title=f"Task {n}", reward_points=points) for n, points in enumerate((1, 2, 7))]


def test_preview_counts_and_names_what_changes(tasks):
    browser = client("Mission Manager")
    text = page_text(browser.post(PAGE, POINTS))
    assert "2 of 3 rows change." in text
    assert "Reward points: <del>1</del> → <ins>7</ins>" in text
    assert "Task 2" not in text.split("Preview")[1]
    assert not BulkEdit.objects.exists()
    assert not Task.objects.filter(reward_points=7).exclude(title="Task 2").exists()


def test_edit_goes_through_the_service_of_each_row(tasks):
    manager = staff("Mission Manager")
    page = edit_rows(client_of(manager), POINTS)
    assert set(Task.objects.values_list("reward_points", flat=True)) == {7}
    edit = BulkEdit.objects.get()
    assert (edit.status, edit.total, edit.changed, edit.unchanged, edit.rejected) == ("done", 3, 2, 1, 0)
    assert (edit.values, edit.started_by) == ({}, manager)
    assert "2 changed, 1 unchanged, 0 rejected" in page_text(page)
    # The events of the service, by the member, and the edit itself in the audit.
    assert Event.objects.filter(type="task.changed", actor=manager).count() == 2
    assert set(AuditEntry.objects.filter(action__startswith="bulk_edit").values_list("action", flat=True)) == {
        "bulk_edit.started",
        "bulk_edit.ended",
    }


def test_selected_rows_alone_are_edited(tasks):
    browser = client("Mission Manager")
    listed = {"action": "bulk_edit", "_selected_action": [str(tasks[0].pk)], "index": "0"}
    answer = browser.post("/admin/groups/task/", listed)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{PAGE}?_rows=")
    edit_rows(browser, POINTS, answer["Location"])
    assert sorted(Task.objects.values_list("reward_points", flat=True)) == [2, 7, 7]


def test_filter_limits_the_rows(tasks):
    Task.objects.filter(pk=tasks[1].pk).update(state="cancelled")
    browser = client("Mission Manager")
    assert "/bulk-edit/?state__exact=open" in browser.get("/admin/groups/task/?state__exact=open").content.decode()
    edit_rows(browser, POINTS, f"{PAGE}?state__exact=open")
    assert Task.objects.get(pk=tasks[1].pk).reward_points == 2


def test_save_needs_the_preview_of_the_same_values(tasks):
    browser = client("Mission Manager")
    seen = previewed(browser.post(PAGE, POINTS))
    answer = browser.post(PAGE, POINTS | {"to-reward_points": "9"} | seen)
    assert "3 of 3 rows change." in page_text(answer)
    TaskFactory()
    answer = browser.post(PAGE, POINTS | seen)
    assert "3 of 4 rows change." in page_text(answer)
    assert not BulkEdit.objects.exists()


def test_form_without_key_is_not_saved(tasks):
    browser = client("Mission Manager")
    values = POINTS | previewed(browser.post(PAGE, POINTS)) | {"form_key": ""}
    assert "Nothing was saved" in page_text(browser.post(PAGE, values))
    assert not BulkEdit.objects.exists()


def test_bad_value_is_shown_at_its_field(tasks):
    answer = client("Mission Manager").post(PAGE, POINTS | {"to-reward_points": "many"})
    assert 'value="many"' in answer.content.decode()
    assert "whole number" in page_text(answer)
    assert "Tick the fields" in page_text(client("Mission Manager").post(PAGE, {"to-title": "x"}))


def test_row_with_an_error_is_left_and_logged():
    good, protected = MemberFactory(), StaffFactory(display_name="A colleague")
    browser = client("Community Manager")
    values = {"change-trust_score": "1", "to-trust_score": "7"}
    edit_rows(browser, values, "/admin/groups/member/bulk-edit/")
    edit = BulkEdit.objects.get()
    row = edit.rows.get(object_key=str(protected.pk))
    assert (row.outcome, row.message) == ("rejected", "You do not have permission to do this.")
    log = page_text(browser.get(f"/admin/common/bulkedit/{edit.pk}/log/"))
    assert "A colleague" in log
    assert row.message in log
    good.refresh_from_db()
    assert good.trust_score == 7


def test_undo_restores_rows_and_keeps_later_edits(tasks):
    manager = staff("Mission Manager")
    browser = client_of(manager)
    edit_rows(browser, POINTS)
    edit = BulkEdit.objects.get()
    update_task(actor=manager, task=tasks[1], reward_points=50)
    page = browser.post(f"/admin/common/bulkedit/{edit.pk}/undo/", follow=True)
    assert "1 changed, 0 unchanged, 1 rejected" in page_text(page)
    assert sorted(Task.objects.values_list("reward_points", flat=True)) == [1, 7, 50]
    undo = edit.undone_by.get()
    assert "A later edit changed" in undo.rows.get(outcome="rejected").message
    # Once.
    assert "/undo/" not in browser.get(f"/admin/common/bulkedit/{edit.pk}/change/").content.decode()


@pytest.fixture
def many(monkeypatch, tasks):
    """An edit of three rows that is a background job."""
    for module in (bulk_edits, bulk_edit, pages):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(bulk_edits, "BATCH", 1)
    manager = staff("Mission Manager")
    browser = client_of(manager)
    assert "edited in the background" in page_text(browser.post(PAGE, POINTS))
    assert "data-refresh" in edit_rows(browser, POINTS).content.decode()
    edit = BulkEdit.objects.get()
    assert edit.status == "queued"
    assert edit.handled == 0
    assert ProcrastinateJob.objects.get(task_name="run_bulk_edit").args == {"edit_id": str(edit.pk)}
    return manager, browser, edit


def test_many_rows_are_a_background_job(many):
    _manager, _browser, edit = many
    assert run_bulk_edit(edit_id=str(edit.pk)) == "done"
    edit.refresh_from_db()
    assert (edit.handled, edit.changed) == (3, 2)
    # Run twice, it does nothing.
    assert run_bulk_edit(edit_id=str(edit.pk)) == "done"
    assert Event.objects.filter(type="task.changed").count() == 2


def test_running_edit_is_cancelled_before_its_next_rows(many, monkeypatch):
    _manager, browser, edit = many
    begin = bulk_edit._row_editor

    def cancelled_after_one(running):
        if BulkEditRow.objects.exclude(outcome="waiting").count() == 1:
            browser.post(f"/admin/common/bulkedit/{edit.pk}/cancel/")
        return begin(running)

    monkeypatch.setattr(bulk_edit, "_row_editor", cancelled_after_one)
    assert run_bulk_edit(edit_id=str(edit.pk)) == "cancelled"
    assert outcomes(edit).count("waiting") == 1


def test_killed_job_goes_on_with_the_rows_that_wait(many, monkeypatch):
    _manager, _browser, edit = many
    editor = bulk_edit._row_editor

    def dies(running):
        if BulkEditRow.objects.exclude(outcome="waiting").exists():
            raise KeyboardInterrupt
        return editor(running)

    monkeypatch.setattr(bulk_edit, "_row_editor", dies)
    with pytest.raises(KeyboardInterrupt):
        run_bulk_edit(edit_id=str(edit.pk))
    monkeypatch.setattr(bulk_edit, "_row_editor", editor)
    assert run_bulk_edit(edit_id=str(edit.pk)) == "done"
    assert Event.objects.filter(type="task.changed").count() == 2


def test_rights_taken_away_stop_a_running_edit(many):
    manager, _browser, edit = many
    manager.groups.clear()
    run_bulk_edit(edit_id=str(edit.pk))
    assert outcomes(edit) == ["rejected"] * 3
    assert not Task.objects.filter(reward_points=7).exclude(title="Task 2").exists()


def test_rights_are_checked_for_each_row():
    reviewer = StaffFactory()
    own, seen = BoardMissionFactory(priority=2), BoardMissionFactory(priority=2)
    ProjectMemberFactory(project=own.project, member=reviewer, role="contributor")
    ProjectMemberFactory(project=seen.project, member=reviewer, role="viewer")
    BoardMissionFactory(priority=2)
    page = "/admin/fallback/mission/bulk-edit/"
    edit_rows(client_of(reviewer), {"change-priority": "1", "to-priority": "4"}, page)
    edit = BulkEdit.objects.get()
    assert (edit.total, edit.changed, edit.rejected) == (2, 1, 1)
    assert Mission.objects.get(pk=own.pk).priority == 4
    assert edit.rows.get(outcome="rejected").message == "You do not have permission to do this."


def test_rights_unique_fields_and_identities_are_not_offered():
    member = MemberFactory()
    fields = client("Administrator").get("/admin/groups/member/bulk-edit/").content.decode()
    assert "change-display_name" in fields
    for name in ("is_superuser", "is_staff", "groups", "email"):
        assert f"change-{name}" not in fields, name
    assert client("Auditor").get("/admin/groups/member/bulk-edit/").status_code == 403
    assert member.is_active


def test_form_with_fields_of_its_own_is_edited():
    entries = [EntryFactory(country="Chile"), EntryFactory(country="Peru")]
    edit_rows(
        client("Community Manager"),
        {"change-organization": "1", "to-organization": "Coop"},
        "/admin/groups/communitymember/bulk-edit/",
    )
    assert set(CommunityMember.objects.values_list("organization", "country")) == {("Coop", "Chile"), ("Coop", "Peru")}
    assert len(entries) == BulkEdit.objects.get().changed


def test_others_see_no_foreign_edit_but_the_audit_does(tasks):
    edit_rows(client("Mission Manager"), POINTS)
    address = f"/admin/common/bulkedit/{BulkEdit.objects.get().pk}/change/"
    assert client("Delivery Lead").get(address).status_code == 302
    auditor = client("Auditor")
    assert auditor.get(address).status_code == 200
    assert auditor.post(address.replace("change", "undo")).status_code == 403


def test_old_logs_are_deleted(tasks):
    edit_rows(client("Mission Manager"), POINTS)
    edit, rule = BulkEdit.objects.get(), rule_named("bulk_edits")
    later = edit.ended_at + bulk_edits.LOG_KEPT
    assert rule.due(edit.ended_at) == 0
    assert rule.due(later.replace(year=later.year + 1)) == 3
    assert rule.treat(actor=edit.started_by, at=later.replace(year=later.year + 1)) == 3
    page = client_of(edit.started_by).get(f"/admin/common/bulkedit/{edit.pk}/log/?outcome=changed")
    assert "was deleted after 90 days" in page_text(page)


def insert(**values):
    row = {"model": "groups.task", "fields": "{title}", "started_by_id": str(StaffFactory().pk)} | values
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO bulk_edits ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
        )


@pytest.mark.rule("bulk_edits_status_known", "bulk_edits_numbers_not_negative", "bulk_edits_ended_fits")
@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("bulk_edits_status_known", {"status": "sleeping"}),
        ("bulk_edits_numbers_not_negative", {"total": -1}),
        ("bulk_edits_ended_fits", {"status": "done"}),
    ],
)
def test_database_rejects_bad_edits(rule, values):
    with rejected_by(rule):
        insert(**values)


@pytest.mark.rule("bulk_edits_undone_once", "bulk_edit_rows_unique", "bulk_edit_rows_outcome_known")
def test_database_rejects_second_undo_and_bad_rows(tasks):
    edit_rows(client("Mission Manager"), POINTS)
    edit = BulkEdit.objects.get()
    BulkEdit.objects.create(model=edit.model, fields=[], undoes=edit, started_by=edit.started_by)
    with rejected_by("bulk_edits_undone_once"):
        BulkEdit.objects.create(model=edit.model, fields=[], undoes=edit, started_by=edit.started_by)
    with rejected_by("bulk_edit_rows_unique"):
        BulkEditRow.objects.create(edit=edit, object_key=str(tasks[0].pk))
    with rejected_by("bulk_edit_rows_outcome_known"):
        BulkEditRow.objects.create(edit=edit, object_key="x", outcome="lost")


@pytest.mark.rule("NoRowsToEdit", "TooManyRowsToEdit", "BulkEditEnded", "CannotUndo")
def test_services_reject_what_cannot_be_edited(tasks, monkeypatch):
    manager, rows = staff("Mission Manager"), Task.objects.all()
    with pytest.raises(bulk_edits.NoRowsToEdit):
        bulk_edits.start_bulk_edit(actor=manager, rows=rows.none(), fields=["title"], values={})
    monkeypatch.setattr(bulk_edits, "MOST_ROWS", 2)
    with pytest.raises(bulk_edits.TooManyRowsToEdit, match="At most 2 rows"):
        bulk_edits.start_bulk_edit(actor=manager, rows=rows, fields=["title"], values={})
    edit = bulk_edits.start_bulk_edit(actor=manager, rows=rows.filter(pk=tasks[0].pk), fields=["title"], values={})
    with pytest.raises(bulk_edits.CannotUndo):
        bulk_edits.start_undo(actor=manager, edit=edit)
    bulk_edits.cancel_bulk_edit(actor=manager, edit=edit)
    with pytest.raises(bulk_edits.BulkEditEnded):
        bulk_edits.cancel_bulk_edit(actor=manager, edit=edit)


@pytest.mark.rule("RowGone", "RowRejected")
def test_row_that_is_gone_or_not_valid_is_rejected(tasks):
    values = {"reward_points": {"to-reward_points": ["-7"]}}
    edit = BulkEdit.objects.create(
        model="groups.task", fields=["reward_points"], values=values, total=2, started_by=staff("Mission Manager")
    )
    for key in (str(tasks[0].pk), str(StaffFactory().pk)):
        BulkEditRow.objects.create(edit=edit, object_key=key)
    bulk_edit.run_edit(edit)
    messages = list(edit.rows.order_by("id").values_list("message", flat=True))
    assert "zero" in messages[0]
    assert "no longer exists" in messages[1]
