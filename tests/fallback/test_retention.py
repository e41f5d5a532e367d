"""Runs, notifications and messages of access requests are kept for a limited time."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, transaction
from django.utils import timezone

from fallback import rules, tasks
from fallback.models import AccessRequest, Mission, MissionFallbackItem, MissionFallbackRun, Notification
from fallback.models.choices import DiscardReason
from fallback.selectors import metrics
from fallback.services import retention
from fallback.services.access import decide_access_request, request_access
from fallback.services.missions import review_mission
from fallback.services.notifications import notify
from fallback.services.review import accept_item, discard_item
from groups.models import Event, Member
from groups.services.erasure import erase
from tests.fallback.proposals import a_project, proposals
from tests.support.database import commit, row, rows
from tests.support.factories.directory import EntryFactory
from tests.support.factories.fallback import ItemFactory, MissionFactory, ProjectFactory, RunFactory
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


def applied(at, **options) -> dict[str, int]:
    """What a job has treated, by kind."""
    return dict(retention.apply_retention(actor=Member.objects.system(), at=at, **options))


def an_ended_run(started_at) -> MissionFallbackRun:
    """A run with an accepted and a discarded proposal."""
    run = RunFactory(project=a_project(templates=1), started_at=started_at)
    accepted, discarded = proposals(run, [60, 60])
    accept_item(actor=Member.objects.system(), item=accepted, at=started_at)
    discard_item(actor=Member.objects.system(), item=discarded, reason=DiscardReason.NOT_NEEDED, at=started_at)
    commit()
    return run


@pytest.mark.seed("004 fallback runs")
def test_old_runs_are_deleted_with_equal_figures_and_missions_stay():
    at = timezone.now()
    old, young = an_ended_run(at - timedelta(days=181)), an_ended_run(at - timedelta(days=179))
    waiting = RunFactory(project=a_project(templates=1), started_at=at - timedelta(days=181))
    proposals(waiting, [60])
    metrics.refresh_metrics()
    before = rows("SELECT * FROM mv_project_metrics_daily ORDER BY 1, 2")
    assert applied(at) == {"runs": 1}
    commit()
    assert set(MissionFallbackRun.objects.all()) == {young, waiting}
    assert not MissionFallbackItem.objects.filter(run=old.pk).exists()
    assert Mission.objects.filter(project=old.project_id).count() == 1
    metrics.refresh_metrics()
    assert rows("SELECT * FROM mv_project_metrics_daily ORDER BY 1, 2") == before
    assert applied(at) == {}


@pytest.mark.seed("004 fallback runs")
def test_database_deletes_no_younger_run():
    """`delete_old_fallback_runs` has the period of rules.RUNS_KEPT, whatever it is asked for."""
    at = timezone.now()
    young = an_ended_run(at - rules.RUNS_KEPT + timedelta(minutes=1))
    old = an_ended_run(at - rules.RUNS_KEPT - timedelta(minutes=1))
    assert row("SELECT delete_old_fallback_runs(%s, 10)", [at + timedelta(days=900)]) == (1,)
    assert not MissionFallbackRun.objects.filter(pk=old.pk).exists()
    assert MissionFallbackRun.objects.filter(pk=young.pk).exists()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        rows("DELETE FROM mission_fallback_runs")


@pytest.mark.seed("004 old notifications")
def test_old_notifications_are_archived():
    note = notify(actor=MemberFactory(), member=MemberFactory(), kind="x.y", title="A title")
    assert applied(note.created_at + rules.NOTIFICATIONS_KEPT) == {}
    at = note.created_at + rules.NOTIFICATIONS_KEPT + timedelta(seconds=1)
    assert applied(at) == {"notifications": 1}
    note.refresh_from_db()
    assert note.archived_at == at


@pytest.mark.seed("004 messages of access requests")
def test_access_messages_are_emptied_after_decision():
    asked = request_access(actor=MemberFactory(), project=ProjectFactory(), message="Call me on 555-0100")
    assert applied(timezone.now() + timedelta(days=100)) == {}
    decide_access_request(actor=MemberFactory(), request=asked, role="viewer")
    assert applied(timezone.now() + timedelta(days=29)) == {}
    assert applied(timezone.now() + timedelta(days=31)) == {"access_messages": 1}
    assert AccessRequest.objects.get().message == ""


def test_dry_run_counts_and_changes_nothing():
    an_ended_run(timezone.now() - timedelta(days=200))
    out = StringIO()
    call_command("apply_retention", "--dry-run", stdout=out)
    others = ["notifications: 0", "access_messages: 0", "github_deliveries: 0", "unassigned_messages: 0"]
    assert out.getvalue().splitlines() == ["security: 0", "audit: 0", "bulk_edits: 0", "runs: 1", *others]
    assert MissionFallbackRun.objects.count() == 1
    assert not Event.objects.filter(type="retention.applied").exists()
    call_command("apply_retention", stdout=StringIO())
    assert MissionFallbackRun.objects.count() == 0
    assert Event.objects.get(type="retention.applied").payload["number"] == 1


def test_job_works_in_batches(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    member = MemberFactory()
    for _number in range(5):
        notify(actor=member, member=member, kind="x.y", title="A title")
    Notification.objects.update(created_at=timezone.now() - timedelta(days=200))
    assert tasks.apply_fallback_retention(0) == {"notifications": 5}
    sizes = Event.objects.filter(type="retention.applied").order_by("pk").values_list("payload__number", flat=True)
    assert list(sizes) == [2, 2, 1]


# --- Erasing a reviewer -----------------------------------------------------------------------


@pytest.mark.seed("004 deleted reviewers")
def test_erased_reviewer_is_a_pseudonym_in_reviews_and_decisions():
    entry, other = EntryFactory(with_account=True), StaffFactory()
    items = [ItemFactory() for _number in range(3)]
    for item, reviewer in zip(items, (entry.person, entry.person, other), strict=True):
        discard_item(actor=reviewer, item=item, reason="not_needed", feedback="Done last week.")
    mission = MissionFactory(list="review")
    review_mission(actor=entry.person, mission=mission, status="approved")
    erase(actor=Member.objects.system(), entry=entry)
    mission.refresh_from_db()
    for item in items:
        item.refresh_from_db()
    (token,) = {each.reviewer_token for each in (mission, *items[:2])}
    assert token.startswith("erased-")
    assert [each.reviewed_by for each in (mission, *items)] == [None, None, None, other]
    assert (mission.review_status, items[2].reviewer_token) == ("approved", "")
    assert {item.feedback for item in items} == {"Done last week."}
    assert entry.member_id not in token
