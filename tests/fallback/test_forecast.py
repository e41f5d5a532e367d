"""The forecast of the ready backlog: reproducible, stored daily, and right as often as it says."""

from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from random import Random

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from fallback import tasks
from fallback.models import MissionForecast
from fallback.selectors import forecast
from fallback.services.forecasts import store_forecast
from groups.models import Member
from tests.fallback.proposals import a_project
from tests.fallback.test_flow import MONDAY, a_mission
from tests.support.admin import client, page_text
from tests.support.factories.fallback import MissionFactory

pytestmark = pytest.mark.django_db


def finished(project, number: int, *, every: int = 2, begin: int = 0) -> None:
    """Missions finished one after the other, the first one so many days after MONDAY or another day."""
    for place in range(1, number + 1):
        days = begin + place * every
        # Not at the same time: events of one time have no order.
        a_mission(project, (days - 0.1, "doing"), (days, "done"), created=begin)


def day(days: int) -> date:
    return (MONDAY + timedelta(days=days)).date()


def stored(project, days: int) -> bool:
    return store_forecast(actor=Member.objects.system(), project=project, at=MONDAY + timedelta(days=days))


def test_forecast_needs_ten_finished_missions():
    project = a_project()
    finished(project, 9)
    MissionFactory(project=project)
    assert forecast.forecast_of(project, today=day(30)) is None
    finished(project, 1)
    assert forecast.forecast_of(project, today=day(30)).backlog == 1


def test_even_pace_gives_the_day_it_takes():
    project = a_project()
    finished(project, 40)
    MissionFactory.create_batch(5, project=project, created_at=MONDAY)
    found = forecast.forecast_of(project, today=day(81))
    # One every second day: five take ten days.
    assert day(81 + 8) <= found.p50_on <= day(81 + 12)
    assert found.p50_on < found.p85_on <= day(81 + 18)


def test_forecast_of_same_day_is_same():
    project = a_project()
    finished(project, 12, every=3)
    MissionFactory.create_batch(4, project=project)
    assert forecast.forecast_of(project, today=day(40)) == forecast.forecast_of(project, today=day(40))
    history = [0, 1, 0, 2, 0, 0, 1] * 6
    assert forecast.days_until_empty(history, 9, seed="a") == forecast.days_until_empty(history, 9, seed="a")


@pytest.mark.parametrize(
    ("history", "backlog", "expected"),
    [([1] * 30, 0, (0, 0)), ([0] * 30, 3, (None, None)), ([], 3, (None, None)), ([1], 5000, (None, None))],
)
def test_limits_of_forecast(history, backlog, expected):
    assert forecast.days_until_empty(history, backlog, seed="a") == expected


def test_days_without_work_are_no_throughput():
    project = a_project()
    finished(project, 10)
    # After day 20 nothing is in Todo until day 30.
    a_mission(project, created=30)
    assert len(forecast.throughput_of(project, today=day(40))) == 21 + 10


def test_blocked_and_unready_missions_are_no_backlog():
    project = a_project()
    finished(project, 10)
    MissionFactory(project=project)
    MissionFactory(project=project, ready=False)
    MissionFactory(project=project, list="doing")
    assert forecast.forecast_of(project, today=day(30)).backlog == 1


def test_outcomes_make_the_record():
    project = a_project()
    finished(project, 20)
    MissionFactory.create_batch(3, project=project, created_at=MONDAY)
    assert stored(project, 40)
    assert not stored(project, 40)
    first = MissionForecast.objects.get()
    assert (first.made_on, first.backlog) == (day(40), 3)
    assert forecast.records_of([project.pk])[project.pk] == forecast.Record(0, 0, 0, 1)
    # Three more are finished in time; the missions of the second forecast are not.
    for days in (41, 42, 43):
        a_mission(project, (days, "done"), created=30)
    assert stored(project, 44)
    first.refresh_from_db()
    assert (first.emptied_on, first.closed_on) == (day(43), None)
    second = MissionForecast.objects.get(made_on=day(44))
    stored(project, (second.p85_on - day(0)).days)
    second.refresh_from_db()
    assert second.closed_on is None
    stored(project, (second.p85_on - day(0)).days + 1)
    second.refresh_from_db()
    assert (second.emptied_on, second.closed_on) == (None, second.p85_on + timedelta(days=1))
    record = forecast.records_of([project.pk])[project.pk]
    assert (record.known, record.p50_held, record.p85_held) == (2, 1, 1)


def test_empty_backlog_is_not_stored():
    project = a_project()
    finished(project, 12)
    assert not stored(project, 40)


def test_job_stores_one_forecast_of_each_project():
    project, at = a_project(), timezone.now()
    finished(project, 12, begin=(at - MONDAY).days - 40)
    MissionFactory(project=project)
    a_project()
    assert tasks.store_mission_forecasts(0) == 1
    assert tasks.store_mission_forecasts(0) == 0
    assert abs(MissionForecast.objects.get(project=project).made_at - at) < timedelta(minutes=10)


@pytest.mark.parametrize(
    "values",
    [{"backlog": 0}, {"p50_on": day(-1)}, {"p85_on": day(1)}, {"emptied_on": day(3), "closed_on": day(3)}],
)
def test_forecast_out_of_order_is_rejected(values):
    row = {"backlog": 2, "made_on": day(0), "p50_on": day(2), "p85_on": day(4)} | values
    with pytest.raises(IntegrityError, match="mission_forecasts_in_order"), transaction.atomic():
        MissionForecast.objects.create(project=a_project(), **row)


def test_project_has_one_forecast_a_day():
    row = {"project": a_project(), "backlog": 2, "made_on": day(0), "p50_on": day(2), "p85_on": day(4)}
    MissionForecast.objects.create(**row)
    with pytest.raises(IntegrityError, match="mission_forecasts_once_a_day"), transaction.atomic():
        MissionForecast.objects.create(**row)


# --- Page -------------------------------------------------------------------------------------


def test_page_shows_forecast_and_record():
    browser, project = client("Fallback Reviewer"), a_project()
    address = reverse("admin:fallback_project_metrics", args=[project.pk])
    start = (timezone.now() - MONDAY).days - 60
    for place in range(9):
        a_mission(project, (start + place * 5, "done"), created=start)
    MissionFactory(project=project)
    assert "A forecast needs 10 finished missions. This project has 9." in page_text(browser.get(address))
    a_mission(project, (start + 50, "done"), created=start)
    today = timezone.now().astimezone(UTC).date()
    MissionForecast.objects.create(
        project=project,
        made_on=today - timedelta(days=9),
        backlog=1,
        p50_on=today - timedelta(days=6),
        p85_on=today - timedelta(days=3),
        emptied_on=today - timedelta(days=5),
    )
    page = page_text(browser.get(address))
    assert "Zero by, P85" in page
    assert "1 of 1" in page
    assert "yes" in browser.get(address, {"csv": "forecasts"}).content.decode()
    assert project.name in page_text(browser.get(reverse("admin:fallback_metrics")))


# --- Back-test --------------------------------------------------------------------------------


@dataclass
class Team:
    """A team that works on missions of random size from a backlog that arrives in batches.

    Nothing of it is in the model of the forecast: work in progress, sizes, weekends, holidays, and a pace that changes.
    """

    random: Random
    size: int = field(init=False)
    pace: float = 1.0
    backlog: int = field(init=False)
    work: list[float] = field(default_factory=list)
    away: int = 0

    def __post_init__(self) -> None:
        self.size = self.random.randint(1, 4)
        self.backlog = self.random.randint(5, 25)
        self.effort = self.random.uniform(2, 6)

    def day(self, number: int) -> int:
        """Work for a day. Returns how many missions were finished."""
        if self.random.random() < 0.006:
            self.pace = min(2.5, max(0.35, self.pace * self.random.choice((0.6, 0.75, 1.3, 1.6))))
        if self.random.random() < 0.008:
            self.away = self.random.randint(3, 16)
        if self.random.random() < 0.07:
            self.backlog += self.random.randint(3, 14)
        while len(self.work) < self.size and self.backlog:
            self.backlog -= 1
            self.work.append(self.effort * self.random.lognormvariate(-0.25, 0.7))
        if self.away or number % 7 > 4:
            self.away = max(0, self.away - 1)
            return 0
        left = [size - self.pace * self.random.uniform(0.6, 1.4) for size in self.work]
        self.work = [size for size in left if size > 0]
        return len(left) - len(self.work)


def held(seed: int) -> tuple[bool, bool] | None:
    """Whether P50 and P85 of a forecast on a random day of a history held; None without a forecast."""
    random = Random(seed)
    team, begun = Team(random), random.randint(100, 300)
    history = []
    for number in range(begun):
        number_finished = team.day(number)
        if team.backlog or number_finished:
            history.append(number_finished)
    ready = team.backlog
    if not ready or sum(history[-84:]) < 10:
        return None
    p50, p85 = forecast.days_until_empty(history[-84:], ready, seed=str(seed))
    done, days = 0, 0
    while done < ready:
        done += team.day(begun + days)
        days += 1
    return days <= (p50 or forecast.HORIZON), days <= (p85 or forecast.HORIZON)


def coverage(seeds: range) -> tuple[float, float]:
    outcomes = [each for seed in seeds if (each := held(seed))]
    return tuple(sum(each[i] for each in outcomes) / len(outcomes) for i in (0, 1))


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(600), range(10_000, 10_600)])
def test_p50_and_p85_hold_as_often_as_they_say(seeds, record_property):
    p50, p85 = coverage(seeds)
    record_property("held", (p50, p85))
    assert 0.40 <= p50 <= 0.60, p50
    assert 0.80 <= p85 <= 0.95, p85


@pytest.mark.long
def test_back_test_notices_a_model_of_one_day(monkeypatch):
    """Negative control: without the spread of the pace and whole weeks, P85 holds too rarely."""
    monkeypatch.setattr(forecast, "PACE_SPREAD", 0.0)
    monkeypatch.setattr(forecast, "BLOCK", 1)
    monkeypatch.setattr(forecast, "LATEST_RATIO", 1.0)
    monkeypatch.setattr(forecast, "SIMULATIONS", 200)
    assert coverage(range(150))[1] < 0.80
