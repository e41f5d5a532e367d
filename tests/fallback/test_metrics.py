"""The figures of projects: roll-ups that outlive the runs, materialized views, the page and its CSV."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.urls import reverse
from django.utils import timezone

from fallback import tasks
from fallback.models import MissionFallbackItem, ProposalRollup
from fallback.models.choices import DiscardReason
from fallback.selectors import metrics
from fallback.services.retention import delete_old_runs
from fallback.services.review import accept_item, discard_item, undo_decision
from fallback.services.runs import run_due, run_fallback
from groups.models import Member
from tests.fallback.proposals import a_project, proposals
from tests.support.admin import client, page_text
from tests.support.database import row, rows
from tests.support.factories.fallback import ItemFactory, MissionFactory, RunFactory, TemplateFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
OLD = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAILY = "SELECT * FROM mv_project_metrics_daily ORDER BY project_id, day"


def decided(project, *, at: datetime, accepted: int, discarded: int) -> None:
    """Proposals of one day, decided on that day."""
    for number, item in enumerate(proposals(RunFactory(project=project, started_at=at), [60] * (accepted + discarded))):
        if number < accepted:
            accept_item(actor=Member.objects.system(), item=item, at=at)
        else:
            discard_item(actor=Member.objects.system(), item=item, reason=DiscardReason.DUPLICATE, at=at)


@pytest.mark.seed("004 mv_project_metrics_daily, mv_fallback_health, mv_notification_counts")
def test_figures_stay_equal_when_old_runs_are_deleted():
    project = a_project(templates=1, weekly_mission_cap=100)
    decided(project, at=OLD, accepted=2, discarded=1)
    metrics.refresh_metrics()
    before = rows(DAILY)
    assert sum(each[3] for each in before) == 2
    assert sum(each[4] for each in before) == 1
    project.missions.all().delete()
    assert delete_old_runs(actor=Member.objects.system(), at=timezone.now()) == 1
    assert not MissionFallbackItem.objects.exists()
    metrics.refresh_metrics()
    assert rows(DAILY) == before


def test_late_decision_counts_on_its_day_and_undo_takes_it_back():
    project = a_project(templates=1, zone="Pacific/Auckland")
    reviewer = MemberFactory()
    (item,) = proposals(RunFactory(project=project), [60])
    MissionFallbackItem.objects.filter(pk=item.pk).update(created_at=OLD)
    late = timezone.now()
    discard_item(actor=reviewer, item=item, reason=DiscardReason.NOT_NEEDED, at=late)
    day = row("SELECT (%s AT TIME ZONE 'Pacific/Auckland')::date", [late])[0]
    on_day = "SELECT sum(accepted), sum(discarded) FROM fallback_proposal_rollups WHERE day = %s"
    assert row(on_day, [day]) == (0, 1)
    undo_decision(actor=reviewer, item=item)
    assert row(on_day, [day]) == (0, 0)


def test_refresh_merges_rows_of_a_day():
    project = a_project(templates=1)
    decided(project, at=OLD, accepted=2, discarded=1)
    assert ProposalRollup.objects.filter(day=OLD.date()).count() > 1
    metrics.refresh_metrics()
    merged = ProposalRollup.objects.get(day=OLD.date())
    assert (merged.accepted, merged.discarded) == (2, 1)


def test_one_statement_on_many_proposals_is_counted():
    project = a_project(templates=1)
    items = proposals(RunFactory(project=project), [60] * 5)
    ids = [item.pk for item in items[:3]]
    MissionFallbackItem.objects.filter(pk__in=ids).update(status="discarded", reason="other", reviewed_at=OLD)
    made = rows("SELECT sum(generated), sum(accepted), sum(discarded) FROM fallback_proposal_rollups")
    assert made == [(5, 0, 3)]
    assert ProposalRollup.objects.get(day=OLD.date()).discarded == 3


@pytest.mark.seed("004 mv_project_metrics_daily, mv_fallback_health, mv_notification_counts")
def test_checks_give_average_backlog_and_adherence():
    project = a_project(templates=9, backlog_threshold=4, check_cadence_minutes=1)
    at = datetime(2021, 3, 1, 9, tzinfo=UTC)
    run_fallback(actor=Member.objects.system(), project=project, at=at)
    MissionFactory.create_batch(4, project=project)
    assert list(run_due(actor=Member.objects.system(), at=at + timedelta(minutes=5))) == []
    metrics.refresh_metrics()
    (day,) = metrics.daily_figures([project.pk], since=date(2021, 3, 1), until=date(2021, 3, 1))
    assert (day.backlog, day.threshold) == (2.0, 4.0)
    health = metrics.health_of(project.pk)
    assert (health.adherence_ratio, health.week_cap, health.month_minutes) == (0.5, 20, 7200)


@pytest.mark.seed("004 mv_project_metrics_daily, mv_fallback_health, mv_notification_counts")
def test_notification_counts_have_fallback_segment():
    member = MemberFactory()
    for kind, read in (("fallback.run_failed", None), ("proposal.waiting", OLD), ("mission.assigned", None)):
        rows(
            "INSERT INTO notifications (member_id, kind, title, read_at) VALUES (%s, %s, 'A title', %s)",
            [member.pk, kind, read],
        )
    metrics.refresh_metrics()
    found = row("SELECT total, unread, fallback_total, fallback_unread FROM mv_notification_counts")
    assert found == (3, 2, 2, 1)


def test_site_cannot_write_figures():
    for statement in (
        "INSERT INTO fallback_proposal_rollups (project_id, template_id, day) VALUES ('a', 'b', '2026-01-01')",
        "UPDATE fallback_backlog_rollups SET samples = 1",
        "DELETE FROM fallback_metrics_refreshes",
        "REFRESH MATERIALIZED VIEW mv_fallback_health",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
            rows(statement)


def test_job_records_age_of_views():
    assert metrics.refreshed_at() is None
    tasks.refresh_fallback_metrics(0)
    assert metrics.refreshed_at() is not None


# --- Page -------------------------------------------------------------------------------------


def address(project, **values) -> str:
    query = "&".join(f"{name}={value}" for name, value in values.items())
    return f"{reverse('admin:fallback_project_metrics', args=[project.pk])}?{query}"


def section(answer, name: str):
    """A section of the page, by name."""
    return next(each for part in answer.context["parts"] for each in part["sections"] if each.name == name)


@pytest.mark.seed("004 mv_project_metrics_daily, mv_fallback_health, mv_notification_counts")
def test_page_shows_figures_and_links_to_their_proposals():
    browser = client("Fallback Reviewer")
    project = a_project(weekly_mission_cap=100)
    template = TemplateFactory(project=project, name="Check links")
    decided(project, at=timezone.now(), accepted=2, discarded=1)
    RunFactory(project=project)
    run_fallback(actor=Member.objects.system(), project=project)
    metrics.refresh_metrics()
    answer = browser.get(address(project, days=30))
    page = page_text(answer)
    assert "Figures of proposals: " in page
    assert "2 accepted, 1 discarded" in page
    _week, _proposed, accepted, discarded = section(answer, "weeks").rows[-1]
    assert accepted.value == 2
    assert browser.get(accepted.url).context["cl"].result_count == 2
    assert browser.get(discarded.url).context["cl"].result_count == 1
    ((name, *_numbers),) = section(answer, "templates").rows
    made = MissionFallbackItem.objects.filter(template=template).count()
    assert browser.get(name.url).context["cl"].result_count == made
    assert "2" in page_text(browser.get(reverse("admin:fallback_metrics")))


def test_csv_has_the_rows_of_the_table():
    browser = client("Fallback Reviewer")
    project = a_project(weekly_mission_cap=100)
    TemplateFactory(project=project, name="=1+1")
    decided(project, at=timezone.now(), accepted=1, discarded=1)
    metrics.refresh_metrics()
    answer = browser.get(address(project, csv="templates"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    heading, line = csv.reader(answer.content.decode().splitlines())
    assert heading == ["template_id", "template", "proposed", "accepted", "discarded"]
    assert line[1:] == ["'=1+1", "2", "1", "1"]
    weeks = list(csv.DictReader(browser.get(address(project, csv="weeks")).content.decode().splitlines()))
    assert [(week["accepted"], week["discarded"]) for week in weeks][-1] == ("1", "1")
    assert browser.get(address(project, csv="backlog")).content.decode().strip() == "day,ready,wanted"
    assert browser.get(address(project, csv="passwords")).status_code == 404


def test_empty_project_has_a_page():
    page = page_text(client("Fallback Reviewer").get(address(a_project())))
    assert "No figures in this period yet" in page
    assert "not computed yet" in page


def test_other_project_is_not_shown():
    assert client("").get(address(ItemFactory().project)).status_code == 403
