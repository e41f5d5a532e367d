"""The list of client missions: rows, search, filters, and the form."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups.models import Member
from missiondeck.models import DeckMission, DodItem
from missiondeck.services.missions import update_deck_mission
from tests.missiondeck.run_helpers import create_runs
from tests.missiondeck.workspace_helpers import FAILING, address, complete, import_report_file, make_item, make_mission
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/missiondeck/deckmission/"


@pytest.fixture
def lead():
    return client("Delivery Lead", email="lena@example.org")


def shown(response) -> list[str]:
    """The titles of the list, in order."""
    return [mission.title for mission in response.context["cl"].result_list]


def line(response, title: str) -> str:
    """A row of the list as text."""
    (row,) = (row for row in response.content.decode().split("<tbody")[1:] if title in row)
    return " ".join(re.sub(r"<[^>]+>", " ", row.split("</tbody>")[0]).split())


def page(mission, name: str = "change") -> str:
    return f"{LIST}{mission.pk}/{name}/"


class TestRow:
    @pytest.mark.seed("001 list of missions: days left, overdue in red, progress, last run, filters")
    def test_row_shows_key_values(self, lead):
        mission = make_mission(title="Bot", client="Acme", days=3, assigned_to="ana@example.org")
        make_item(mission, done=True)
        make_item(mission, "It is quick", category="tests")
        create_runs(mission, "passed", "failed")
        text = line(lead.get(LIST), "Bot")
        for words_of in (f"#{mission.number}", "Acme", "Active", "3 days", "1 of 2", "Failed", "ana@example.org"):
            assert words_of in text
        assert "USD 1,200" in text
        assert f'href="{address(mission)}"' in lead.get(LIST).content.decode()

    @pytest.mark.seed("001 list of missions: days left, overdue in red, progress, last run, filters")
    def test_row_shows_overdue_and_completion(self, lead):
        late, done = make_mission(title="Late", days=-13), make_mission(title="Ended", days=-2)
        complete(done, MemberFactory(), reason="The client said so")
        response = lead.get(LIST)
        assert "12 days overdue" in line(response, "Late")
        assert re.search(r"text-red-[^>]*>\s*12 days overdue", response.content.decode())
        assert "overdue" not in line(response, "Ended")
        assert "Completed" in line(response, "Ended")
        assert late.status == "active"

    def test_row_shows_missing_values(self, lead):
        make_mission(title="New")
        text = line(lead.get(LIST), "New")
        assert "No items yet" in text
        assert "None yet" in text

    def test_assignee_links_to_member(self, lead):
        ana = MemberFactory(display_name="Ana Souza", email="ana@example.org")
        make_mission(assigned_to="ANA@example.org")
        assert f'href="/admin/groups/member/{ana.pk}/change/"' in lead.get(LIST).content.decode()

    def test_title_is_escaped(self, lead):
        make_mission(title="<script>alert(1)</script>", client="<img src=x>")
        html = lead.get(LIST).content.decode()
        assert "<script>alert(1)" not in html
        assert "<img src=x>" not in html

    def test_rows_have_no_inline_script_or_style(self, lead):
        make_item(make_mission())
        rows = lead.get(LIST).content.decode().split("<tbody")[1].split("</tbody>")[0]
        assert "style=" not in rows
        assert not re.search(r"\son\w+=", rows)


class TestSearch:
    def test_search_finds_number_with_and_without_sign(self, lead):
        mission, other = make_mission(title="First"), make_mission(title="Second")
        named = make_mission(title=f"{mission.number} ways to go")
        assert shown(lead.get(LIST, {"q": f"#{mission.number}"})) == ["First"]
        assert shown(lead.get(LIST, {"q": f" {mission.number} "})) == [named.title, "First"]
        assert shown(lead.get(LIST, {"q": f"#{other.number + 500}"})) == []

    def test_search_finds_prefix_of_title_client_address(self, lead):
        MemberFactory(email="ana@example.org")
        make_mission(title="Landing Page", client="Beta Inc", assigned_to="ana@example.org")
        make_mission(title="Bot", client="Acme Corp", assigned_to="zoe@elsewhere.example")
        for term, title in (
            ("landing", "Landing Page"),
            ("BETA", "Landing Page"),
            ("ana@", "Landing Page"),
            ("Zoe@else", "Bot"),
            ("acme corp", "Bot"),
        ):
            assert shown(lead.get(LIST, {"q": term})) == [title], term
        assert shown(lead.get(LIST, {"q": "page"})) == []
        assert shown(lead.get(LIST, {"q": "%"})) == []

    def test_global_search_finds_mission(self, lead):
        make_mission(title="Landing Page", client="Beta Inc")
        assert "Landing Page" in page_text(lead.get("/admin/search/?s=landing&extended=1"))
        assert "Landing Page" not in page_text(client("Community Manager").get("/admin/search/?s=landing&extended=1"))

    @pytest.mark.parametrize("term", ["#", "#0", "9" * 60, "''; --", "🦉", "a\\", "#٣"])
    def test_odd_search_finds_nothing(self, lead, term):
        make_mission()
        response = lead.get(LIST, {"q": term})
        assert response.status_code == 200
        assert shown(response) == []


class TestFilters:
    @pytest.fixture
    def missions(self):
        """Missions: overdue and failed; due soon with a running run; due later and passed; complete."""
        late = make_mission(title="late", client="Acme Corp", days=-5, assigned_to="lena@example.org")
        create_runs(late, "passed", "failed")
        soon = make_mission(title="soon", client="acme labs", days=5)
        create_runs(soon, "passed", "running")
        later = make_mission(title="later", client="Beta Inc", days=30)
        create_runs(later, "failed", "passed")
        make_mission(title="bare", client="Beta Inc", days=20)
        done = make_mission(title="done", client="Beta Inc", days=-6)
        create_runs(done, "failed")
        complete(done, MemberFactory(), reason="Agreed")

    @pytest.mark.seed("001 list of missions: days left, overdue in red, progress, last run, filters")
    @pytest.mark.parametrize(
        ("query", "titles"),
        [
            ("status=open", ["bare", "later", "soon", "late"]),
            ("status=active", ["bare", "later", "soon", "late"]),
            ("status=complete", ["done"]),
            ("due=next", ["late", "soon", "bare", "later"]),
            ("due=overdue", ["late"]),
            ("due=week", ["soon"]),
            ("last_run=failed", ["done", "late"]),
            ("last_run=failed&status=open", ["late"]),
            ("last_run=passed", ["later"]),
            ("last_run=running", ["soon"]),
            ("last_run=none", ["bare"]),
            ("client=ACME", ["soon", "late"]),
            ("assigned=me", ["late"]),
            ("assigned=unknown", ["done", "bare", "later", "soon"]),
            # Unknown values of a filter are ignored.
            ("status=odd&due=odd&last_run=odd&assigned=odd", ["done", "bare", "later", "soon", "late"]),
            ("deadline_from=odd&deadline_to=0000-00-00", ["done", "bare", "later", "soon", "late"]),
        ],
    )
    def test_filters_limit_the_list(self, lead, missions, query, titles):
        assert shown(lead.get(f"{LIST}?{query}")) == titles

    def test_day_filter_uses_time_zone_of_viewer(self, lead):
        # 23:30 in São Paulo on the 14th is the 15th in London.
        at = datetime(2026, 12, 14, 23, 30, tzinfo=ZoneInfo("America/Sao_Paulo"))
        update_deck_mission(actor=Member.objects.system(), mission=make_mission(title="evening"), deadline=at)
        with timezone.override("America/Sao_Paulo"):
            assert shown(lead.get(f"{LIST}?deadline_from=2026-12-14&deadline_to=2026-12-14")) == ["evening"]
            assert shown(lead.get(f"{LIST}?deadline_from=2026-12-15")) == []
        assert shown(lead.get(f"{LIST}?deadline_from=2026-12-15&deadline_to=2026-12-15")) == ["evening"]

    @pytest.mark.parametrize("query", ["p=0", "p=odd", "p=99999999999999999999", "o=99", "completed_by__password=x"])
    def test_invalid_filter_shows_list(self, lead, missions, query):
        response = lead.get(f"{LIST}?{query}", follow=True)
        assert response.status_code == 200
        assert len(shown(response)) == 5


class TestQueries:
    @pytest.mark.parametrize("rows", [1, 12])
    @pytest.mark.parametrize("query", ["", "?status=open&last_run=failed", "?due=next"])
    def test_list_has_fixed_number_of_queries(self, lead, rows, query, django_assert_num_queries):
        for _ in range(rows):
            mission = make_mission(assigned_to=MemberFactory().email)
            make_item(mission, done=True)
            create_runs(mission, "passed", "failed")
        lead.get(LIST)
        # Session, user, permissions twice, count, keys of the page, rows, saved views.
        # With filters also the roles with which the view may be shared.
        with django_assert_num_queries(9 if query else 8):
            assert len(shown(lead.get(LIST + query))) == rows

    def test_list_does_not_load_results_and_logs(self, lead):
        mission = make_mission()
        import_report_file(mission, FAILING, logs=b"line\n" * 1000)
        with CaptureQueriesContext(connection) as made:
            lead.get(LIST)
        sql = " ".join(query["sql"] for query in made.captured_queries)
        assert "test_runs" in sql
        assert '"logs"' not in sql
        assert '"results"' not in sql


class TestForm:
    def values(self, **changes) -> dict:
        due = timezone.localtime(timezone.now() + timedelta(days=30))
        return {
            "title": "Shop",
            "client": "Acme Corp",
            "budget": "500",
            "currency": "eur",
            "deadline_0": f"{due:%Y-%m-%d}",
            "deadline_1": "18:00:00",
            "assigned_to": "ana@example.org",
            "github_url": "",
            "functional": "It sells\n\n  It ships  \n",
            "non_functional": "",
            "tests": "Every page is tested",
            "_save": "1",
        } | changes

    def test_new_mission_is_created_with_items(self, lead):
        with timezone.override("America/Sao_Paulo"):
            assert "In the time zone America/Sao_Paulo" in page_text(lead.get(f"{LIST}add/"))
            response = lead.post(f"{LIST}add/", self.values())
        made = DeckMission.objects.get()
        assert response["Location"] == address(made)
        assert (made.currency, made.status, made.budget) == ("EUR", "active", 500)
        assert made.deadline.astimezone(ZoneInfo("America/Sao_Paulo")).hour == 18
        items = DodItem.objects.filter(mission=made).order_by("category", "position")
        assert list(items.values_list("category", "text")) == [
            ("functional", "It sells"),
            ("functional", "It ships"),
            ("tests", "Every page is tested"),
        ]
        assert "Delivery Lead" in page_text(lead.get(page(made, "history")))

    @pytest.mark.parametrize(
        ("changes", "field", "text"),
        [
            ({"title": "  "}, "title", "This field is required."),
            ({"budget": "0"}, "budget", "Enter a budget greater than 0."),
            ({"budget": "9" * 30}, "budget", " or less."),
            ({"currency": "E1"}, "currency", "Enter a currency as three capital letters"),
            ({"assigned_to": "ana"}, "assigned_to", "Enter a valid e-mail address."),
            ({"github_url": "https://example.org/a"}, "github_url", "the URL of a repository"),
            ({"deadline_0": "9999-12-31"}, "deadline", "Enter a deadline between the years 2000 and 2199."),
            ({"deadline_0": "31.13.2026"}, "deadline", "Enter a valid date."),
            ({"functional": "x" * 501}, "functional", "Item 1 is longer than 500 characters"),
            ({"tests": "a\n" * 51}, "tests", "Enter at most 50 lines"),
        ],
    )
    def test_form_error_is_shown_at_field(self, lead, changes, field, text):
        response = lead.post(f"{LIST}add/", self.values(**changes))
        assert response.status_code == 200
        form = response.context["adminform"].form
        assert text in " ".join(form.errors[field])
        assert form["title"].value() == changes.get("title", "Shop")
        assert form["functional"].value() == changes.get("functional", "It sells\n\n  It ships  \n")
        assert not DeckMission.objects.exists()

    def test_service_error_is_shown_at_field(self, lead, monkeypatch):
        from missiondeck.admin import missions
        from missionsite.common.errors import violated

        def reject(**kwargs):
            raise violated("dod_items_text_not_empty")

        monkeypatch.setattr(missions, "add_item", reject)
        assert "Enter the text of the item." in page_text(lead.post(f"{LIST}add/", self.values()))
        assert not DeckMission.objects.exists()

    def test_edit_is_recorded_and_can_be_reverted(self, lead):
        mission = make_mission(title="Shop")
        values = self.values(title="Shop and stock", currency="USD", budget="1200", client="Acme")
        assert lead.post(page(mission), values)["Location"] == address(mission)
        mission.refresh_from_db()
        assert mission.title == "Shop and stock"
        history = lead.get(page(mission, "history"))
        assert "Shop and stock" in page_text(history)
        (entry,) = (change.pgh_id for change, _ in history.context["changes"] if change.fields)
        lead.post(f"{page(mission, 'history')}{entry}/revert/")
        mission.refresh_from_db()
        assert mission.title == "Shop"

    def test_revert_keeps_later_edit_and_status(self, lead):
        mission = make_mission(title="One")
        update_deck_mission(actor=Member.objects.system(), mission=mission, title="Two")
        update_deck_mission(actor=Member.objects.system(), mission=mission, title="Three")
        complete(mission, MemberFactory(), reason="Agreed")
        changes = [
            (change.pgh_id, {field.name for field in change.fields}, revertible)
            for change, revertible in lead.get(page(mission, "history")).context["changes"]
        ]
        assert {revertible for _, fields, revertible in changes if "status" in fields} == {False}
        first = min(key for key, fields, _ in changes if fields == {"title"})
        text = page_text(lead.post(f"{page(mission, 'history')}{first}/revert/"))
        assert "A later edit changed title" in text
        mission.refresh_from_db()
        assert mission.title == "Three"

    def test_read_only_user_cannot_change(self):
        mission, auditor = make_mission(title="Shop"), client("Auditor")
        assert "Shop" in page_text(auditor.get(page(mission)))
        assert 'name="title"' not in auditor.get(page(mission)).content.decode()
        assert auditor.post(page(mission), self.values()).status_code == 403
        assert auditor.get(f"{LIST}add/").status_code == 403
        mission.refresh_from_db()
        assert mission.title == "Shop"

    def test_missions_cannot_be_deleted(self):
        mission = make_mission()
        chief = client_of(staff(is_superuser=True))
        assert chief.post(page(mission, "delete"), {"post": "yes"}).status_code == 403
        assert DeckMission.objects.filter(pk=mission.pk).exists()


@pytest.mark.parametrize("role", ["", "Community Manager", "Engagement Operator"])
def test_pages_need_view_permission(role):
    mission, someone = make_mission(), client(role)
    for target in (
        LIST,
        page(mission),
        page(mission, "history"),
        f"{LIST}calendar/",
        f"{LIST}feeds/",
        f"{LIST}export/",
    ):
        assert someone.get(target).status_code == 403, target
    assert "Client missions" not in page_text(someone.get("/admin/"))


class TestHome:
    def test_dashboard_counts_late_and_failed_missions(self, lead):
        late, red = make_mission(days=-2), make_mission()
        create_runs(red, "passed", "failed")
        green = make_mission()
        create_runs(green, "failed", "passed")
        done = make_mission(days=-3)
        create_runs(done, "failed")
        complete(done, MemberFactory(), reason="Agreed")
        cards = {card["title"]: card for card in lead.get("/admin/").context["cards"]}
        for title, mission in (("Overdue client missions", late), ("Failing client missions", red)):
            assert cards[title]["count"] == "1"
            assert [each.pk for each in lead.get(cards[title]["link"]).context["cl"].result_list] == [mission.pk]
        titles = {card["title"] for card in client("Community Manager").get("/admin/").context["cards"]}
        assert not titles & cards.keys() & {"Overdue client missions", "Failing client missions"}


def test_empty_list_explains_next_step(lead):
    assert "No client missions yet" in page_text(lead.get(LIST))
