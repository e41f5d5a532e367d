"""The flow of missions: lists by day, lead and cycle time, throughput, ages, and the missions behind a point."""

import csv
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback.models import Mission, MissionEvent
from fallback.selectors import flow
from fallback.selectors.flow import Figure
from fallback.services.missions import move_mission
from groups.models import Member
from tests.fallback.proposals import a_project
from tests.support.admin import client
from tests.support.database import kept_times, row
from tests.support.factories.fallback import MissionFactory

pytestmark = pytest.mark.django_db
UTC_ZONE = ZoneInfo("UTC")
MONDAY = datetime(2021, 3, 1, 9, tzinfo=UTC)


def a_mission(project, *moves: tuple[float, str], created: int = 0) -> Mission:
    """A mission created in Todo, so many days after MONDAY, and moved to lists on later days."""
    at = MONDAY + timedelta(days=created)
    mission = MissionFactory(project=project, list=moves[-1][1] if moves else "todo", created_at=at)
    before = "todo"
    with kept_times():
        for days, after in moves:
            MissionEvent.objects.create(
                project=project,
                mission=mission,
                type="mission.moved",
                payload={"changed": {"list": [before, after]}},
                occurred_at=MONDAY + timedelta(days=days),
            )
            before = after
    return mission


def lists(project, **period) -> dict[date, dict]:
    return {each.day: each.counts for each in flow.daily_lists([project.pk], zone=UTC_ZONE, **period)}


def test_service_moves_are_periods_of_lists():
    mission = MissionFactory(list="todo")
    moved = move_mission(actor=Member.objects.system(), mission=mission, to="doing")
    move_mission(actor=Member.objects.system(), mission=moved, to="done")
    found = row(
        "SELECT array_agg(list ORDER BY left_at NULLS LAST) FROM mission_list_periods(ARRAY[%s])", [mission.project_id]
    )
    assert found[0][-1] == "done"
    assert set(found[0]) >= {"todo", "done"}


def test_lists_at_the_end_of_each_day():
    project = a_project()
    a_mission(project, (1, "doing"), (3, "review"), (4, "done"))
    a_mission(project, (2, "doing"), created=1)
    a_mission(project, (-20, "done"), created=-30)
    MissionFactory(list="doing", created_at=MONDAY)
    days = lists(project, since=date(2021, 3, 1), until=date(2021, 3, 5))
    assert days[date(2021, 3, 1)] == {"todo": 1, "doing": 0, "review": 0, "done": 0}
    assert days[date(2021, 3, 2)] == {"todo": 1, "doing": 1, "review": 0, "done": 0}
    assert days[date(2021, 3, 4)] == {"todo": 0, "doing": 1, "review": 1, "done": 0}
    assert days[date(2021, 3, 5)] == {"todo": 0, "doing": 1, "review": 0, "done": 1}


def test_days_are_those_of_the_time_zone():
    project = a_project(zone="Pacific/Auckland")
    a_mission(project, (0, "doing"))
    zone = ZoneInfo("Pacific/Auckland")
    (day,) = flow.daily_lists([project.pk], since=date(2021, 3, 1), until=date(2021, 3, 1), zone=zone)
    # 9:00 in UTC is 22:00 there; one hour and a half later it is still the same day.
    assert day.counts["doing"] == 1
    Mission.objects.filter(project=project).update(created_at=MONDAY + timedelta(hours=3))
    (day,) = flow.daily_lists([project.pk], since=date(2021, 3, 1), until=date(2021, 3, 1), zone=zone)
    assert sum(day.counts.values()) == 0


def test_times_by_week_of_finishing():
    project = a_project()
    for days in (1, 2, 3, 4):
        a_mission(project, (1, "doing"), (1 + days, "done"))
    a_mission(project, (9, "done"))
    MissionFactory(project=project, list="done", created_at=MONDAY)
    total, weeks = flow.weekly_finished([project.pk], since=date(2021, 3, 1), until=date(2021, 3, 14), zone=UTC_ZONE)
    assert (total.number, total.started) == (5, 4)
    first, second = weeks
    assert (first.number, first.lead.p50, first.cycle.p50) == (4, 3.5, 2.5)
    assert first.cycle.p85 == pytest.approx(3.55)
    assert (second.number, second.lead.p50, second.cycle) == (1, 9.0, None)


def test_mission_finished_again_counts_on_its_last_day():
    project = a_project()
    a_mission(project, (1, "doing"), (2, "done"), (3, "doing"), (10, "done"))
    _total, weeks = flow.weekly_finished([project.pk], since=date(2021, 3, 1), until=date(2021, 3, 14), zone=UTC_ZONE)
    assert [week.number for week in weeks] == [0, 1]
    assert weeks[1].cycle.p50 == 9.0


@pytest.mark.parametrize(
    "text",
    ["in.doing.2021-03-02", "in.done.2021-03-01.2021-03-02", "finished.2021-03-01.2021-03-02", "open.todo.5"],
)
def test_figure_is_read_as_written(text):
    assert str(Figure.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "in",
        "in.done.2021-03-02",
        "in.nowhere.2021-03-02",
        "open.done.1",
        "open.todo.6",
        "open.todo.-1",
        "finished.2021-03-01",
        "finished.0001-01-01.2021-03-02",
        "cycle.x.y",
        "in.todo.2021-02-30",
        "a.b.c.d",
    ],
)
def test_other_text_is_no_figure(text):
    assert Figure.parse(text) is None


# --- Page -------------------------------------------------------------------------------------


def sections(browser, project, **query) -> dict:
    answer = browser.get(reverse("admin:fallback_project_metrics", args=[project.pk]), query)
    return {each.name: each for each in answer.context["parts"][0]["sections"]}


def test_every_point_links_to_its_missions():
    """Of every section, the numbers of the table are those of the lists they link to."""
    browser, project = client("Fallback Reviewer"), a_project(zone="America/Sao_Paulo")
    start = (timezone.now() - MONDAY).days - 20
    a_mission(project, (start + 1, "doing"), (start + 3, "review"), (start + 9, "done"), created=start)
    a_mission(project, (start + 2, "doing"), (start + 12, "done"), created=start)
    a_mission(project, (start + 5, "done"), created=start + 5)
    a_mission(project, (start + 15, "doing"), created=start + 10)
    a_mission(project, created=start - 100)
    MissionFactory(list="doing")
    checked = 0
    for section in sections(browser, project, days=30).values():
        for shown in section.rows[-3:] if section.name == "flow" else section.rows:
            for cell in shown:
                if cell.url:
                    assert browser.get(cell.url).context["cl"].result_count == cell.value, (section.name, cell)
                    checked += 1
    assert checked >= 12


def test_figure_filter_is_named_and_ignores_other_values():
    browser, project = client("Fallback Reviewer"), a_project()
    a_mission(project, (1, "done"))
    a_mission(project)
    listed = reverse("admin:fallback_mission_changelist")
    answer = browser.get(listed, {"figure": "in.done.2021-03-01.2021-03-02"})
    assert answer.context["cl"].result_count == 1
    assert "Done at the end of 2 Mar 2021" in answer.content.decode()
    assert browser.get(listed, {"figure": "in.nowhere"}).context["cl"].result_count == 2
    assert "figure" not in {
        spec.parameter_name
        for spec in browser.get(listed).context["cl"].filter_specs
        if hasattr(spec, "parameter_name")
    }


def test_csv_of_flow_has_every_day():
    browser, project = client("Fallback Reviewer"), a_project()
    MissionFactory(project=project, list="doing")
    answer = browser.get(reverse("admin:fallback_project_metrics", args=[project.pk]), {"days": 365, "csv": "flow"})
    lines = list(csv.DictReader(answer.content.decode().splitlines()))
    assert len(lines) == 365
    assert (lines[-1]["doing"], lines[0]["doing"]) == ("1", "0")
    assert len(sections(browser, project, days=365)["flow"].rows) <= 92


def test_page_makes_fixed_number_of_queries(django_assert_max_num_queries):
    browser, project = client("Fallback Reviewer"), a_project()
    for days in range(1, 8):
        a_mission(project, (days, "doing"), (days + 1, "done"))
    with django_assert_max_num_queries(20):
        browser.get(reverse("admin:fallback_metrics"))
