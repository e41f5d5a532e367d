"""Retention rules: their page, runs by hand and by schedule, and what is recorded of them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group as Role
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from fallback import tasks
from fallback.models import MissionFallbackRun, Notification
from fallback.services import retention as fallback_retention
from fallback.services.notifications import notify
from groups.models import Member
from missionsite.common import retention
from missionsite.common.models import AuditEntry, RetentionRun
from missionsite.common.tasks import apply_audit_retention, apply_retention_rule
from tests.support.admin import OfficeClient
from tests.support.database import rejected_by
from tests.support.factories.fallback import RunFactory
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/common/retentionrun/rules/"


def signed_in(role: str) -> tuple[Member, OfficeClient]:
    member, client = StaffFactory(), OfficeClient()
    member.groups.add(Role.objects.get(name=role))
    client.force_login(member)
    return member, client


def old_runs(number: int) -> None:
    for _number in range(number):
        RunFactory(status="completed", started_at=timezone.now() - timedelta(days=200))


def test_page_shows_period_due_and_last_run():
    old_runs(3)
    _auditor, client = signed_in("Auditor")
    page = client.get(PAGE).content.decode()
    for text in (
        "Fallback runs",
        "180 days from the start",
        "Audit",
        "Security log",
        "400 days from the entry",
        "Never",
        ">3<",
    ):
        assert text in page, text
    assert "Run now" not in page
    assert client.post("/admin/common/retentionrun/rules/runs/run/").status_code == 403


@pytest.mark.rule("retention_runs_one_at_a_time")
def test_run_now_is_a_job_with_progress_and_audit_rows(monkeypatch):
    monkeypatch.setattr(fallback_retention, "BATCH", 2)
    old_runs(5)
    root, client = signed_in("Administrator")
    assert "Run now" in client.get(PAGE).content.decode()
    answer = client.post("/admin/common/retentionrun/rules/runs/run/", follow=True)
    assert "Fallback runs: the run is queued." in answer.content.decode()
    assert " data-active" in answer.content.decode()
    run = RetentionRun.objects.get()
    assert (run.rule, run.status, run.due, run.started_by) == ("runs", "waiting", 5, root)
    job = ProcrastinateJob.objects.get(task_name="apply_retention_rule")
    # A second run waits for the first to end.
    again = client.post("/admin/common/retentionrun/rules/runs/run/", follow=True)
    assert "being applied already" in again.content.decode()

    seen = []
    treat = fallback_retention.KINDS["runs"][1]

    def watched(**options):
        seen.append(RetentionRun.objects.values_list("status", "treated").get())
        return treat(**options)

    monkeypatch.setitem(fallback_retention.KINDS, "runs", (fallback_retention.old_runs, watched))
    assert apply_retention_rule(**job.args) == 5
    assert seen == [("running", 0), ("running", 2), ("running", 4), ("running", 5)]
    run.refresh_from_db()
    assert (run.status, run.treated, run.ended_at is None) == ("done", 5, False)
    assert MissionFallbackRun.objects.count() == 0
    recorded = AuditEntry.objects.filter(action__startswith="retention.").order_by("pk").select_related("actor")
    assert [entry.action for entry in recorded] == [
        "retention.started",
        *["retention.applied"] * 3,
        "retention.completed",
    ]
    assert {entry.actor.member_id for entry in recorded} == {root.pk}
    assert "5 of 5 treated" in client.get(PAGE).content.decode()


def test_failed_run_is_shown_and_can_be_repeated(monkeypatch):
    old_runs(1)
    treat = fallback_retention.KINDS["runs"][1]

    def failing(**options):
        raise RuntimeError

    monkeypatch.setitem(fallback_retention.KINDS, "runs", (fallback_retention.old_runs, failing))
    with pytest.raises(RuntimeError):
        tasks.apply_fallback_retention(0)
    assert RetentionRun.objects.get(rule="runs").status == "failed"
    _root, client = signed_in("Administrator")
    assert "Failed" in client.get(PAGE).content.decode()
    monkeypatch.setitem(fallback_retention.KINDS, "runs", (fallback_retention.old_runs, treat))
    assert tasks.apply_fallback_retention(0) == {"runs": 1}


def test_killed_run_goes_on_with_the_next_job():
    old_runs(1)
    killed = RetentionRun.objects.create(
        rule="runs", started_by=Member.objects.system(), status="running", due=4, treated=3
    )
    assert retention.apply_rules(["runs"], actor=Member.objects.system()) == {"runs": 4}
    assert RetentionRun.objects.get() == killed


def test_scheduled_run_without_due_rows_is_recorded():
    notify(actor=MemberFactory(), member=MemberFactory(), kind="x.y", title="A title")
    assert apply_audit_retention(0) == {}
    runs = RetentionRun.objects.order_by("rule").values_list("rule", "due", "treated", "status")
    assert list(runs) == [(rule, 0, 0, "done") for rule in ("audit", "bulk_edits", "security")]
    assert AuditEntry.objects.filter(action="retention.completed").count() == 3
    assert Notification.objects.count() == 1


@pytest.mark.rule("retention_runs_status_known")
def test_unknown_status_is_rejected():
    with rejected_by("retention_runs_status_known"):
        RetentionRun.objects.create(rule="runs", started_by=Member.objects.system(), status="lost")


@pytest.mark.rule("retention_runs_numbers_not_negative")
def test_negative_number_is_rejected():
    with rejected_by("retention_runs_numbers_not_negative"):
        RetentionRun.objects.create(rule="runs", started_by=Member.objects.system(), due=-1)
