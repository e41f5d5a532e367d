"""The review page of proposals, used by forms and by its script."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fallback.models import Mission, MissionFallbackItem
from fallback.models.choices import MissionOrigin, ProjectRole
from fallback.services.configs import update_config
from fallback.services.missions import move_mission
from fallback.services.projects import set_project_role
from fallback.services.review import accept_item, snooze_item
from fallback.services.runs import run_fallback
from groups.models import Member
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.fallback import ConfigFactory, MissionFactory, ProjectFactory, TemplateFactory

pytestmark = pytest.mark.django_db
REVIEW = "/admin/fallback/missionfallbackitem/review/"
JSON = {"Accept": "application/json"}
GONE = "01ZZZZZZZZZZZZZZZZZZZZZZZZ"


@pytest.fixture
def remo():
    return staff("Fallback Reviewer", display_name="Remo")


@pytest.fixture
def reviewer(remo) -> Client:
    return client_of(remo)


@pytest.fixture
def project():
    project = ProjectFactory(name="The website")
    ConfigFactory(project=project, backlog_threshold=3)
    TemplateFactory.create_batch(3, project=project)
    return project


@pytest.fixture
def items(project) -> list[MissionFallbackItem]:
    return list(run_fallback(actor=Member.objects.system(), project=project).items.order_by("created_at", "id"))


def starving(proposals: int, **fields):
    """A project with that many proposals."""
    project = ProjectFactory(**fields)
    ConfigFactory(project=project, backlog_threshold=proposals, weekly_mission_cap=100)
    TemplateFactory(project=project)
    run_fallback(actor=Member.objects.system(), project=project)
    return project


def do(browser: Client, item, name: str, **values):
    """Send an action of a proposal, as the script of the page does."""
    return browser.post(reverse(f"admin:fallback_item_{name}", args=[item.pk]), values, headers=JSON)


def bulk(browser: Client, name: str, items, **values):
    return browser.post(f"{REVIEW}{name}/", {"items": [item.pk for item in items], **values}, headers=JSON)


def state() -> list:
    """The state that a decision could change."""
    items = MissionFallbackItem.objects.order_by("pk").values_list("status", "snoozed_until", "title", "feedback")
    return [*items, Mission.objects.count()]


class TestPage:
    def test_page_shows_proposals_and_quotas_of_projects(self, reviewer, items, project):
        starving(1, name="The garden")
        page = page_text(reviewer.get(REVIEW))
        for text in ("The website", "The garden", "0 of 3 ready", "0 of 20 missions this week", items[0].title):
            assert text in page
        assert "0 of 120 hours this month" in page

    def test_empty_database_shows_hint(self, reviewer):
        assert "No proposals to review" in page_text(reviewer.get(REVIEW))
        assert "No snoozed proposals" in page_text(reviewer.get(REVIEW, {"show": "snoozed"}))
        assert "No matches" in page_text(reviewer.get(REVIEW, {"q": "guide"}))

    def test_filters_by_project_and_text(self, reviewer, items, project):
        other = starving(1, name="The garden")
        by_project = page_text(reviewer.get(REVIEW, {"project": other.pk}))
        assert items[0].title not in by_project
        MissionFallbackItem.objects.filter(pk=items[1].pk).update(description="About herons")
        found = page_text(reviewer.get(REVIEW, {"q": "HERON"}))
        assert f'data-title="{items[1].title}"' in found
        assert f'data-title="{items[0].title}"' not in found

    @pytest.mark.parametrize("query", ["p=0", "p=abc", "p=-1", "p=99999999999", "p=²", "project=x", "q=%25", "show=x"])
    def test_invalid_parameters_are_ignored(self, reviewer, items, query):
        assert reviewer.get(f"{REVIEW}?{query}").status_code == 200

    def test_long_list_is_paged(self, reviewer):
        starving(60)
        first, second = reviewer.get(REVIEW), reviewer.get(REVIEW, {"p": 2})
        assert first.content.count(b'class="fb-row"') == 50
        assert second.content.count(b'class="fb-row"') == 10

    @pytest.mark.parametrize("projects", [1, 8])
    def test_page_takes_fixed_number_of_queries(self, reviewer, projects, django_assert_num_queries):
        for _each in range(projects):
            starving(2)
        reviewer.get(REVIEW)
        # Session, user, rights twice; items, skipped, projects, configurations; guardrails twice, runs, backlogs;
        # templates, projects to choose from, two counts, own decisions.
        with django_assert_num_queries(17):
            reviewer.get(REVIEW)

    def test_address_opens_forms_of_a_proposal(self, reviewer, items):
        """The links of the buttons lead there, for browsers without JavaScript."""
        closed = reviewer.get(REVIEW).content.decode()
        # One copy for the script.
        assert closed.count('data-panel="discard"') == 1
        link = f"open={items[1].pk}#fb-discard-{items[1].pk}"
        assert link in closed
        page = reviewer.get(f"{REVIEW}?{link}").content.decode()
        assert page.count('data-panel="discard"') == 2
        assert f'id="fb-discard-{items[1].pk}" method="post"' in page

    def test_fragment_equals_list(self, reviewer, items):
        part = reviewer.get(REVIEW, headers={"X-Fragment": "proposals"}).content
        assert b"<html" not in part
        assert part.count(b'class="fb-row"') == 3

    @pytest.mark.parametrize("query", ["q=%00", "project=%00", "p=%00"])
    def test_null_character_is_ignored(self, reviewer, query):
        assert reviewer.get(f"{REVIEW}?{query}").status_code == 400

    def test_markup_in_text_is_escaped(self, reviewer, items):
        MissionFallbackItem.objects.filter(pk=items[0].pk).update(title="<script>alert(1)</script>")
        page = reviewer.get(REVIEW).content
        assert b"<script>alert(1)" not in page
        assert b"&lt;script&gt;alert(1)" in page

    def test_get_changes_nothing(self, reviewer, items):
        before = state()
        for path in (REVIEW, f"{REVIEW}?show=snoozed", f"{REVIEW}missions/?project={items[0].project_id}"):
            assert reviewer.get(path).status_code == 200
        for name in ("accept", "discard", "snooze", "unsnooze", "duplicate", "undo"):
            assert reviewer.get(reverse(f"admin:fallback_item_{name}", args=[items[0].pk])).status_code == 405
        for name in ("accept", "discard"):
            assert reviewer.get(f"{REVIEW}{name}/").status_code == 405
        assert state() == before


class TestDecide:
    def test_accept_creates_mission(self, reviewer, remo, items):
        answer = do(reviewer, items[0], "accept").json()
        mission = Mission.objects.get()
        assert answer["message"] == f"Accepted: {mission.title} added to Todo."
        assert answer["mission_url"] == reverse("admin:fallback_mission_change", args=[mission.pk])
        assert (mission.origin, mission.fallback_item_id, mission.ready) == (MissionOrigin.FALLBACK, items[0].pk, True)
        items[0].refresh_from_db()
        assert items[0].reviewed_by == remo

    def test_accept_without_script_shows_message(self, reviewer, items):
        path = reverse("admin:fallback_item_accept", args=[items[0].pk])
        assert "added to Todo." in page_text(reviewer.post(path, follow=True))
        assert "is already accepted" in page_text(reviewer.post(path, follow=True))

    def test_accept_with_edits(self, reviewer, items):
        values = {"title": "Rewrite", "description": "All of it", "priority": 5, "estimated_effort_minutes": 90}
        assert do(reviewer, items[0], "accept", **values).status_code == 200
        mission = Mission.objects.get()
        assert (mission.title, mission.description, mission.priority) == ("Rewrite", "All of it", 5)

    @pytest.mark.parametrize(
        "odd",
        [
            {"title": ""},
            {"title": "x" * 501},
            {"title": "a\x00b"},
            {"description": "a\x00b"},
            {"priority": "9"},
            {"priority": "high"},
            {"estimated_effort_minutes": "0"},
            {"estimated_effort_minutes": "1" * 30},
            {"estimated_effort_minutes": "²"},
        ],
    )
    def test_invalid_edits_name_field(self, reviewer, items, odd):
        values = {"title": "Rewrite", "description": "", "priority": 3, "estimated_effort_minutes": 90} | odd
        response = do(reviewer, items[0], "accept", **values)
        assert response.status_code == 422
        assert response.json()["field"] == next(iter(odd))
        assert response.json()["message"]
        assert not Mission.objects.exists()

    def test_discard_with_reason_or_feedback(self, reviewer, items):
        assert do(reviewer, items[0], "discard", reason="unclear").status_code == 200
        assert do(reviewer, items[1], "discard", feedback="Too vague").status_code == 200
        assert MissionFallbackItem.objects.filter(status="discarded").count() == 2

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"feedback": "  "},
            {"reason": "other"},
            {"reason": "nonsense"},
            {"feedback": "a\x00b"},
            {"feedback": "x" * 5001},
        ],
    )
    def test_discard_needs_reason(self, reviewer, items, values):
        response = do(reviewer, items[0], "discard", **values)
        assert response.status_code == 422
        assert response.json()["field"] in ("feedback", "reason")
        assert MissionFallbackItem.objects.proposed().count() == 3

    def test_second_decision_is_rejected(self, reviewer, items):
        do(reviewer, items[0], "accept")
        response = do(reviewer, items[0], "discard", reason="unclear")
        assert response.status_code == 409
        assert response.json()["message"] == "This proposal is already accepted."

    def test_unknown_proposal_returns_404(self, reviewer, items):
        path = reverse("admin:fallback_item_accept", args=[GONE])
        assert reviewer.post(path, headers=JSON).status_code == 404
        assert reviewer.post(path).status_code == 404
        assert reviewer.post(path.replace(GONE, "x y"), headers=JSON).status_code == 404

    def test_duplicate_needs_mission_of_same_project(self, reviewer, items, project):
        known, foreign = MissionFactory(project=project), MissionFactory()
        for mission in (foreign.pk, GONE, "a b", "a\x00b", ""):
            response = do(reviewer, items[0], "duplicate", mission=mission)
            assert (response.status_code, response.json()["field"]) == (422, "mission")
        assert known.title in do(reviewer, items[0], "duplicate", mission=known.pk).json()["message"]

    def test_mission_choices_for_duplicate(self, reviewer, items, project):
        known = MissionFactory(project=project, title="Herons")
        MissionFactory(title="Herons elsewhere")
        for query in ("hero", known.pk.lower(), ""):
            found = reviewer.get(f"{REVIEW}missions/", {"project": project.pk, "q": query}).json()["results"]
            assert [each["id"] for each in found] == [known.pk]
        assert reviewer.get(f"{REVIEW}missions/", {"project": "x y", "q": "%"}).json() == {"results": []}


class TestSnooze:
    @pytest.mark.parametrize(("preset", "days"), [("tomorrow", 1), ("3days", 3), ("week", 7)])
    def test_preset_ends_at_nine(self, reviewer, items, preset, days):
        assert do(reviewer, items[0], "snooze", until=preset).status_code == 200
        items[0].refresh_from_db()
        until = timezone.localtime(items[0].snoozed_until)
        assert (until.date() - timezone.localdate()).days == days
        assert (until.hour, until.minute) == (9, 0)

    def test_snoozed_proposal_moves_to_other_list_and_back(self, reviewer, remo, items):
        snooze_item(actor=remo, item=items[0], until=timezone.now() + timedelta(hours=1))
        row = f'id="fb-p-{items[0].pk}"'
        assert row not in page_text(reviewer.get(REVIEW))
        assert row in page_text(reviewer.get(REVIEW, {"show": "snoozed"}))
        assert do(reviewer, items[0], "unsnooze").status_code == 200
        assert row in page_text(reviewer.get(REVIEW))

    @pytest.mark.parametrize("until", ["", "soon", "2020-01-01T10:00", "9999-12-31T23:59", "0001-01-01", "a\x00b"])
    def test_invalid_snooze_is_rejected(self, reviewer, items, until):
        response = do(reviewer, items[0], "snooze", until=until)
        assert response.status_code == 422
        assert response.json()["field"] == "until"
        items[0].refresh_from_db()
        assert items[0].snoozed_until is None


class TestGuardrails:
    def test_full_week_names_reset(self, reviewer, project, items):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=1)
        do(reviewer, items[0], "accept")
        response = do(reviewer, items[1], "accept")
        assert response.status_code == 409
        assert response.json()["message"].startswith("The weekly cap of 1 mission")
        assert "It resets on Monday" in response.json()["message"]
        assert "1 of 1 missions this week" in page_text(reviewer.get(REVIEW))

    def test_full_month_names_reset(self, reviewer, project, items):
        update_config(actor=Member.objects.system(), config=project.fallback_config, monthly_target_hours=1)
        do(reviewer, items[0], "accept")
        message = do(reviewer, items[1], "accept").json()["message"]
        assert "hours of this month" in message or "hour of this month" in message
        assert "reset on" in message or "resets on" in message

    def test_bulk_accept_stops_at_cap(self, reviewer, project, items):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=2)
        answer = bulk(reviewer, "accept", items).json()
        assert [result["ok"] for result in answer["results"]] == [True, True, False]
        assert answer["message"].startswith("2 accepted, 1 rejected: The weekly cap of 2")
        assert Mission.objects.count() == 2

    def test_skipped_templates_are_shown_with_reset(self, reviewer, project):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=1)
        run_fallback(actor=Member.objects.system(), project=project)
        page = page_text(reviewer.get(REVIEW))
        assert "Skipped" in page
        assert "Weekly cap" in page
        frees_up = MissionFallbackItem.objects.get().run.skipped[0]["resetsAt"]
        assert frees_up
        assert page.count("00:00") >= 1

    def test_project_with_all_templates_skipped_is_shown(self, reviewer, project):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=0)
        run_fallback(actor=Member.objects.system(), project=project)
        page = page_text(reviewer.get(REVIEW))
        assert "The website" in page
        assert "Skipped" in page


class TestBulk:
    def test_bulk_discard_with_one_reason(self, reviewer, items):
        answer = bulk(reviewer, "discard", items, reason="not_needed").json()
        assert answer["message"] == "3 discarded."
        assert (
            bulk(reviewer, "discard", items, reason="not_needed")
            .json()["message"]
            .startswith("0 discarded, 3 rejected")
        )

    def test_bulk_discard_needs_selection_and_reason(self, reviewer, items):
        assert bulk(reviewer, "accept", []).json()["message"] == "Select proposals first."
        assert "Choose a reason" in bulk(reviewer, "discard", items).json()["message"]
        assert MissionFallbackItem.objects.proposed().count() == 3

    def test_bulk_rejects_too_many(self, reviewer):
        response = reviewer.post(f"{REVIEW}accept/", {"items": [str(n) for n in range(201)]}, headers=JSON)
        assert (response.status_code, response.json()["message"]) == (422, "Select at most 200 proposals.")

    def test_unknown_item_is_rejected_alone(self, reviewer, items):
        answer = reviewer.post(f"{REVIEW}accept/", {"items": [items[0].pk, GONE, "a\x00b"]}, headers=JSON).json()
        assert sorted(result["ok"] for result in answer["results"]) == [False, False, True]


class TestUndo:
    def test_undo_releases_week(self, reviewer, project, items):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=1)
        do(reviewer, items[0], "accept")
        assert f"Undo: {items[0].title}" in page_text(reviewer.get(REVIEW))
        assert do(reviewer, items[0], "undo").status_code == 200
        assert not Mission.objects.exists()
        assert do(reviewer, items[1], "accept").status_code == 200

    def test_undo_rejects_changed_mission(self, reviewer, items):
        do(reviewer, items[0], "accept")
        move_mission(actor=Member.objects.system(), mission=Mission.objects.get(), to="doing")
        response = do(reviewer, items[0], "undo")
        assert response.status_code == 409
        assert "has changed" in response.json()["message"]

    def test_undo_rejects_decision_of_another(self, reviewer, items):
        accept_item(actor=staff("Fallback Reviewer", display_name="Rita"), item=items[0])
        assert do(reviewer, items[0], "undo").status_code == 403
        assert Mission.objects.count() == 1

    def test_undo_without_decision_is_rejected(self, reviewer, items):
        assert do(reviewer, items[0], "undo").json()["message"] == "There is no decision to undo."


class TestRights:
    def test_viewer_cannot_decide(self, items):
        auditor = client("Auditor")
        page = page_text(auditor.get(REVIEW))
        assert items[0].title in page
        assert 'data-decide="accept"' not in page
        before = state()
        for name, values in (
            ("accept", {}),
            ("discard", {"reason": "unclear"}),
            ("snooze", {"until": "week"}),
            ("undo", {}),
        ):
            assert do(auditor, items[0], name, **values).status_code == 403
        assert bulk(auditor, "accept", items).json()["message"].startswith("0 accepted, 3 rejected")
        assert state() == before

    def test_staff_without_project_gets_no_page(self, items):
        no_one = client()
        for path in (REVIEW, f"{REVIEW}events/"):
            assert no_one.get(path).status_code == 403
        assert no_one.get(f"{REVIEW}missions/", {"project": items[0].project_id}).json() == {"results": []}
        assert do(no_one, items[0], "accept").status_code == 404

    def test_reviewer_sees_and_decides_own_project_only(self, items, project):
        other = starving(1, name="The garden")
        member = staff()
        set_project_role(actor=None, project=project, member=member, role=ProjectRole.REVIEWER)
        browser = client_of(member)
        page = page_text(browser.get(REVIEW))
        assert "The website" in page
        assert "The garden" not in page
        assert do(browser, items[0], "accept").status_code == 200
        assert do(browser, other.fallback_items.get(), "accept").status_code == 404

    def test_post_without_csrf_token_is_rejected(self, remo, items):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(remo)
        before = state()
        for name in ("accept", "discard", "snooze", "unsnooze", "duplicate", "undo"):
            assert do(strict, items[0], name, reason="unclear", until="week").status_code == 403
        for name in ("accept", "discard"):
            assert bulk(strict, name, items, reason="unclear").status_code == 403
        assert state() == before
