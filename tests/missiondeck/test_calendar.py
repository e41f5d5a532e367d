"""The calendar: days of deadlines, mission health, and overflow."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from groups.models import Member
from missiondeck.admin.base import MissionHealth, health_of, with_progress
from missiondeck.admin.calendar import MAX_PER_DAY, parse_month
from missiondeck.models import DeckMission
from missiondeck.services.missions import create_deck_mission
from tests.missiondeck.run_helpers import create_runs
from tests.missiondeck.workspace_helpers import address, complete, make_item, make_mission
from tests.support.admin import client, page_text
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
CALENDAR = "/admin/missiondeck/deckmission/calendar/"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.fixture
def lead():
    return client("Delivery Lead", email="lena@example.org")


def due(at: datetime, title: str = "Shop", assigned_to: str = "ana@example.org") -> DeckMission:
    return create_deck_mission(
        actor=Member.objects.system(), title=title, client="Acme", budget=1, deadline=at, assigned_to=assigned_to
    )


def day(response, on: str) -> str:
    """The text of a day in the table."""
    (cell,) = re.findall(rf'<td[^>]*>\s*<time datetime="{on}">.*?</td>', response.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", cell).split())


class TestMonth:
    @pytest.mark.seed("001 CSV and calendar")
    def test_month_shows_whole_weeks_from_monday(self, lead):
        html = lead.get(f"{CALENDAR}?month=2026-11").content.decode()
        assert re.findall(r'<th scope="col"><abbr title="(\w+)">', html)[::6] == ["Monday", "Sunday"]
        days = re.findall(r'<time datetime="([\d-]+)">', html)
        assert (days[0], days[-1], len(days)) == ("2026-10-26", "2026-12-06", 42)
        assert "<h2>November 2026</h2>" in html

    def test_mission_is_shown_on_its_day(self, lead):
        mission = due(datetime(2026, 11, 12, 18, 30, tzinfo=UTC), "Landing <b>Page</b>")
        response = lead.get(f"{CALENDAR}?month=2026-11")
        text = day(response, "2026-11-12")
        assert f"#{mission.number} Landing" in text
        assert "18:30 · Acme" in text
        assert f'href="{address(mission)}"' in response.content.decode()
        assert "<b>Page" not in response.content.decode()
        assert "1 deadline." in page_text(response)

    def test_days_use_time_zone_of_viewer(self, lead):
        due(datetime(2026, 12, 1, 1, 0, tzinfo=UTC), "Evening")
        with timezone.override("America/Sao_Paulo"):
            response = lead.get(f"{CALENDAR}?month=2026-11")
            assert "22:00" in day(response, "2026-11-30")
            assert "time zone America/Sao_Paulo" in page_text(response)
            assert "No deadlines this month" in page_text(lead.get(f"{CALENDAR}?month=2026-12"))
        assert "01:00" in day(lead.get(f"{CALENDAR}?month=2026-12"), "2026-12-01")

    def test_days_of_other_months_are_empty(self, lead):
        due(datetime(2026, 12, 2, 12, tzinfo=UTC), "December")
        assert "December" not in day(lead.get(f"{CALENDAR}?month=2026-11"), "2026-12-02").replace("2 December", "")

    def test_page_links_to_adjacent_months_and_today(self, lead):
        html = lead.get(f"{CALENDAR}?month=2026-12&assigned=me").content.decode()
        for month in ("2026-11", "2027-01", f"{timezone.localdate():%Y-%m}"):
            assert f"?month={month}&amp;assigned=me" in html
        assert 'rel="prev"' not in lead.get(f"{CALENDAR}?month=2000-01").content.decode()
        assert 'rel="next"' not in lead.get(f"{CALENDAR}?month=2199-12").content.decode()

    def test_filter_mine_hides_other_missions(self, lead):
        at = datetime(2026, 11, 12, 18, 30, tzinfo=UTC)
        due(at, "Mine", "lena@example.org")
        due(at, "Other")
        text = day(lead.get(f"{CALENDAR}?month=2026-11&assigned=me"), "2026-11-12")
        assert "Mine" in text
        assert "Other" not in text

    def test_overflow_links_to_list_of_day(self, lead):
        at = datetime(2026, 11, 12, 9, tzinfo=UTC)
        for number in range(MAX_PER_DAY + 12):
            due(at + timedelta(minutes=number), f"Mission {number:02}")
        due(at + timedelta(days=1), "Tomorrow")
        response = lead.get(f"{CALENDAR}?month=2026-11")
        text = day(response, "2026-11-12")
        assert f"Mission {MAX_PER_DAY - 1:02}" in text
        assert f"Mission {MAX_PER_DAY:02}" not in text
        assert "and 12 more" in text
        assert f"{MAX_PER_DAY + 13} deadlines" in page_text(response)
        (link,) = re.findall(r'href="([^"]+)">and 12 more', response.content.decode())
        listed = lead.get(link.replace("&amp;", "&")).context["cl"].result_list
        assert {mission.title for mission in listed} == {f"Mission {number:02}" for number in range(MAX_PER_DAY + 12)}

    @pytest.mark.parametrize("rows", [1, 30])
    def test_page_has_fixed_number_of_queries(self, lead, rows, django_assert_num_queries):
        for number in range(rows):
            mission = due(datetime(2026, 11, 1 + number % 28, 9, tzinfo=UTC))
            make_item(mission)
            create_runs(mission, "failed")
        lead.get(f"{CALENDAR}?month=2026-11")
        # Session, user, permissions twice, ranks, rows.
        with django_assert_num_queries(6):
            lead.get(f"{CALENDAR}?month=2026-11")

    @pytest.mark.parametrize(
        "month",
        [
            "2026-13",
            "2026-00",
            "0000-01",
            "9999-12",
            "2026-1",
            "٢٠٢٦-11",
            "<script>",
            "-1",
            "2026-11-11",
            "9" * 500,
            "%00",
        ],
    )
    def test_invalid_month_shows_current_with_warning(self, lead, month):
        response = lead.get(CALENDAR, {"month": month} if month != "%00" else {"month": "\x01"})
        assert response.status_code == 200
        assert response.context["month"] == timezone.localdate().replace(day=1)
        assert "is not a valid month" in page_text(response)
        assert "<script>”" not in response.content.decode()

    def test_missing_month_shows_current(self, lead):
        response = lead.get(CALENDAR)
        assert "is not a valid month" not in page_text(response)
        assert "Today" in day(response, timezone.localdate().isoformat())

    def test_page_has_no_inline_script_or_style(self, lead):
        make_mission(days=0)
        table = lead.get(CALENDAR).content.decode().split("<table")[1].split("</table>")[0]
        assert "<script" not in table
        assert "style=" not in table

    def test_first_day_without_midnight_is_shown(self, lead):
        # In 2015 clocks of São Paulo went from 23:59 on 17 October to 01:00.
        with timezone.override("America/Sao_Paulo"):
            due(datetime(2015, 10, 18, 1, 30, tzinfo=SAO_PAULO), "Gap")
            assert "Gap" in day(lead.get(f"{CALENDAR}?month=2015-10"), "2015-10-18")


class TestHealth:
    def health(self, mission: DeckMission) -> str:
        return health_of(with_progress(DeckMission.objects.filter(pk=mission.pk)).get(), at=timezone.now())

    def test_health_follows_deadline_and_progress(self):
        assert self.health(make_mission(days=-3)) == MissionHealth.LATE
        assert self.health(make_mission(days=20)) == MissionHealth.ON_TRACK
        soon = make_mission(days=1)
        assert self.health(soon) == MissionHealth.AT_RISK
        make_item(soon, done=True)
        assert self.health(soon) == MissionHealth.AT_RISK
        create_runs(soon, "failed", "passed")
        assert self.health(soon) == MissionHealth.ON_TRACK
        make_item(soon)
        assert self.health(soon) == MissionHealth.AT_RISK
        done = make_mission(days=-3)
        complete(done, MemberFactory(), reason="Agreed")
        assert self.health(done) == MissionHealth.COMPLETE

    def test_health_is_shown_as_text(self, lead):
        at = timezone.now().replace(day=15)
        for change, words_of in ((timedelta(days=-400), "Late"), (timedelta(days=400), "On track")):
            due(at + change, "Shop")
            assert words_of in day(lead.get(f"{CALENDAR}?month={at + change:%Y-%m}"), f"{at + change:%Y-%m-%d}")


def test_months_are_parsed_strictly():
    assert parse_month("2026-02") == date(2026, 2, 1)
    assert [parse_month(text) for text in ("", "2026-2", "2026/02", " 2026-02", "1999-12", "2200-01")] == [None] * 6


def test_page_needs_view_permission():
    assert client("Community Manager").get(CALENDAR).status_code == 403
    assert client("Auditor").get(CALENDAR).status_code == 200
