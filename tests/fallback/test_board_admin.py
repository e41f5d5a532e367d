"""The board of a project, used by forms and by its script."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fallback.models import Mission, MissionFallbackTemplate, Project
from fallback.models.choices import ProjectRole
from fallback.services.configs import pause_fallback, update_config
from fallback.services.missions import add_dependency
from fallback.services.projects import archive_project, set_project_role, update_project
from groups.models import Member
from tests.support.admin import client, client_of, page_text, staff
from tests.support.database import rejected_by
from tests.support.factories.fallback import ConfigFactory, MissionFactory, ProjectFactory, TemplateFactory

pytestmark = pytest.mark.django_db
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
    return project


@pytest.fixture
def mission(project) -> Mission:
    return MissionFactory(project=project, title="Write the guide", list_order=1)


def board(project) -> str:
    return reverse("admin:fallback_board", args=[project.pk])


def place(browser: Client, mission, **values):
    return browser.post(reverse("admin:fallback_mission_position", args=[mission.pk]), values, headers=JSON)


def ready(browser: Client, mission, value: str):
    path = reverse("admin:fallback_mission_ready_now", args=[mission.pk])
    return browser.post(path, {"ready": value}, headers=JSON)


def launch(browser: Client, template):
    return browser.post(reverse("admin:fallback_template_launch_now", args=[template.pk]), headers=JSON)


def titles(project, in_list: str) -> list[str]:
    return list(project.missions.filter(list=in_list).order_by("list_order", "id").values_list("title", flat=True))


class TestPage:
    def test_board_shows_lists_templates_and_quotas(self, reviewer, project, mission):
        MissionFactory(project=project, title="Mend the links", list="review", review_status="pending")
        TemplateFactory(project=project, name="Answer questions")
        TemplateFactory(project=project, name="Switched off", enabled=False)
        page = page_text(reviewer.get(board(project)))
        for text in ("Write the guide", "Mend the links", "Review pending", "Answer questions", "1 of 3 ready"):
            assert text in page
        assert "0 of 20 missions this week" in page
        assert "Switched off" not in page

    def test_empty_board_shows_hint(self, reviewer, project):
        assert "The board is empty" in page_text(reviewer.get(board(project)))

    def test_board_without_configuration_opens(self, reviewer):
        page = page_text(reviewer.get(board(ProjectFactory())))
        assert "Not configured" in page
        assert "Not counted" in page

    def test_board_shows_open_proposals_and_pause(self, reviewer, project, mission):
        add_dependency(actor=Member.objects.system(), mission=mission, depends_on=MissionFactory(project=project))
        pause_fallback(actor=Member.objects.system(), config=project.fallback_config)
        page = page_text(reviewer.get(board(project)))
        assert "Blocked by 1" in page
        assert "Paused" in page

    def test_long_list_is_cut_with_link_to_all(self, reviewer, project):
        MissionFactory.create_batch(55, project=project)
        response = reviewer.get(board(project))
        assert response.content.count(b'class="fb-card"') == 25
        assert "All 55 in Todo" in page_text(response)
        # The script asks for more cards as the list scrolls.
        for asked, shown in (("todo=50", 50), ("doing=9,todo=999", 55), ("todo=1", 25), ("todo=x,,=", 25)):
            response = reviewer.get(board(project), headers={"X-Fragment": "board", "X-Cards": asked})
            assert response.content.count(b'class="fb-card"') == shown
        (todo,) = [column for column in response.context["columns"] if column["key"] == "todo"]
        assert reviewer.get(todo["more_url"]).context["cl"].page.pages.count.number == 55

    @pytest.mark.parametrize("rows", [1, 12])
    def test_board_takes_fixed_number_of_queries(self, reviewer, project, rows, django_assert_num_queries):
        MissionFactory.create_batch(rows, project=project)
        TemplateFactory.create_batch(rows, project=project)
        reviewer.get(board(project))
        # Session, user, rights twice, project; configuration, guardrails twice, four lists, templates, waiting,
        # backlog.
        with django_assert_num_queries(17):
            reviewer.get(board(project))

    def test_fragment_equals_board(self, reviewer, project, mission):
        part = reviewer.get(board(project), headers={"X-Fragment": "board"}).content
        assert b"<html" not in part
        assert mission.pk.encode() in part

    def test_unknown_board_returns_404(self, reviewer):
        for path in (board(ProjectFactory()).replace("01", "7Z", 1), reverse("admin:fallback_board", args=["x y"])):
            assert reviewer.get(path).status_code == 404

    def test_get_changes_nothing(self, reviewer, project, mission):
        template = TemplateFactory(project=project)
        reviewer.get(board(project))
        for name, pk in (
            ("mission_position", mission.pk),
            ("mission_ready_now", mission.pk),
            ("template_launch_now", template.pk),
        ):
            assert reviewer.get(reverse(f"admin:fallback_{name}", args=[pk])).status_code == 405
        mission.refresh_from_db()
        assert (mission.list, mission.ready, Mission.objects.count()) == ("todo", True, 1)


class TestMove:
    def test_move_to_ends_and_between(self, reviewer, project, mission):
        first, second = (
            MissionFactory(project=project, title=t, list="doing", list_order=n) for n, t in enumerate("AB")
        )
        assert place(reviewer, mission, list="doing").json()["message"] == "Write the guide moved to Doing."
        assert titles(project, "doing") == ["A", "B", "Write the guide"]
        place(reviewer, mission, list="doing", position="top")
        assert titles(project, "doing") == ["Write the guide", "A", "B"]
        place(reviewer, mission, list="doing", before=second.pk, after=first.pk)
        assert titles(project, "doing") == ["A", "Write the guide", "B"]

    def test_move_without_script_redirects_to_board(self, reviewer, project, mission):
        path = reverse("admin:fallback_mission_position", args=[mission.pk])
        response = reviewer.post(path, {"list": "done"}, follow=True)
        assert response.redirect_chain[-1][0] == board(project)
        assert "Write the guide moved to Done." in page_text(response)

    @pytest.mark.parametrize("values", [{}, {"list": "loop"}, {"list": "a\x00b"}, {"list": "done", "before": "x" * 27}])
    def test_move_rejects_invalid_position(self, reviewer, mission, values):
        response = place(reviewer, mission, **values)
        assert response.status_code == 422
        assert response.json()["message"]
        mission.refresh_from_db()
        assert mission.list == "todo"

    def test_move_rejects_neighbour_that_moved(self, reviewer, project, mission):
        gone = MissionFactory(project=project, list="done")
        for neighbour in (gone.pk, GONE, MissionFactory(list="doing").pk):
            response = place(reviewer, mission, list="doing", before=neighbour)
            assert response.status_code == 409
            assert "The board has changed" in response.json()["message"]
        mission.refresh_from_db()
        assert mission.list == "todo"

    def test_move_of_unknown_mission_returns_404(self, reviewer):
        path = reverse("admin:fallback_mission_position", args=[GONE])
        assert reviewer.post(path, {"list": "done"}, headers=JSON).status_code == 404

    def test_ready_can_be_set_and_unset(self, reviewer, mission):
        assert ready(reviewer, mission, "0").json()["message"] == "Write the guide marked as not ready."
        mission.refresh_from_db()
        assert not mission.ready
        ready(reviewer, mission, "1")
        mission.refresh_from_db()
        assert mission.ready


class TestLaunch:
    def test_launch_creates_mission_and_keeps_template(self, reviewer, project):
        template = TemplateFactory(project=project, name="Answer questions")
        answer = launch(reviewer, template).json()
        mission = Mission.objects.get()
        assert answer["mission_url"] == reverse("admin:fallback_mission_change", args=[mission.pk])
        assert (mission.list, mission.origin) == ("todo", "fallback")
        assert MissionFallbackTemplate.objects.enabled().get() == template
        assert "Launch Answer questions" in page_text(reviewer.get(board(project)))

    def test_launch_rejects_full_week(self, reviewer, project):
        update_config(actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=0)
        response = launch(reviewer, TemplateFactory(project=project))
        assert response.status_code == 409
        assert "resets on Monday" in response.json()["message"]
        assert not Mission.objects.exists()

    def test_launch_rejects_disabled_or_unknown_template(self, reviewer, project):
        template = TemplateFactory(project=project, enabled=False)
        assert "disabled" in launch(reviewer, template).json()["message"]
        path = reverse("admin:fallback_template_launch_now", args=[GONE])
        assert reviewer.post(path, headers=JSON).status_code == 404

    def test_launch_rejects_archived_project(self, reviewer, project):
        template = TemplateFactory(project=project, name="Answer questions")
        archive_project(actor=Member.objects.system(), project=project)
        assert "Launch Answer questions" not in page_text(reviewer.get(board(project)))
        assert "archived" in launch(reviewer, template).json()["message"]
        assert not Mission.objects.exists()


class TestRights:
    def test_viewer_cannot_move_cards(self, project, mission):
        auditor = client("Auditor")
        template = TemplateFactory(project=project)
        page = page_text(auditor.get(board(project)))
        assert mission.title in page
        for button in ("data-move-url", "data-launch", "data-ready"):
            assert button not in page
        for response in (place(auditor, mission, list="done"), ready(auditor, mission, "0"), launch(auditor, template)):
            assert response.status_code == 403
        mission.refresh_from_db()
        assert (mission.list, mission.ready, Mission.objects.count()) == ("todo", True, 1)

    def test_contributor_moves_cards_but_cannot_launch(self, project, mission):
        template, member = TemplateFactory(project=project), staff()
        set_project_role(actor=None, project=project, member=member, role=ProjectRole.CONTRIBUTOR)
        browser = client_of(member)
        assert place(browser, mission, list="doing").status_code == 200
        assert launch(browser, template).status_code == 403

    def test_private_project_is_hidden_from_others(self, project, mission):
        member = staff()
        set_project_role(actor=None, project=ProjectFactory(), member=member, role=ProjectRole.MAINTAINER)
        browser = client_of(member)
        assert browser.get(board(project)).status_code == 404
        assert browser.get(reverse("admin:fallback_board_events", args=[project.pk])).status_code == 404
        assert place(browser, mission, list="done").status_code == 404
        assert client().get(board(project)).status_code == 403

    def test_post_without_csrf_token_is_rejected(self, remo, project, mission):
        template = TemplateFactory(project=project)
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(remo)
        for response in (place(strict, mission, list="done"), ready(strict, mission, "0"), launch(strict, template)):
            assert response.status_code == 403
        mission.refresh_from_db()
        assert (mission.list, mission.ready, Mission.objects.count()) == ("todo", True, 1)


# --- Limits and movement ----------------------------------------------------------------------


def ago(days: int):
    return timezone.now() - timedelta(days=days, hours=1)


def test_list_above_its_limit_is_marked_but_open(reviewer, project, mission):
    update_project(actor=Member.objects.system(), project=project, doing_limit=1)
    MissionFactory(project=project, list="doing")
    page = page_text(reviewer.get(board(project)))
    assert "limit 1" in page
    assert "more than its limit" not in page
    answer = place(reviewer, mission, list="doing")
    assert answer.json()["ok"]
    assert answer.json()["message"].endswith("Doing has 2 missions, more than its limit of 1.")
    assert "Doing has 2 missions, more than its limit of 1." in page_text(reviewer.get(board(project)))


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("todo_limit", 0, "projects_todo_limit_in_range"),
        ("doing_limit", 1001, "projects_doing_limit_in_range"),
        ("review_limit", -1, "projects_review_limit_in_range"),
        ("stale_after_days", 366, "projects_stale_after_in_range"),
    ],
)
def test_limits_of_board_are_in_range(project, field, value, constraint):
    with rejected_by(constraint):
        Project.objects.filter(pk=project.pk).update(**{field: value})


def test_cards_without_movement_are_marked_and_filtered(reviewer, project, mission):
    update_project(actor=Member.objects.system(), project=project, stale_after_days=7)
    moved = MissionFactory(project=project, title="Just moved", list="doing")
    still = MissionFactory(project=project, title="Stuck for long", list="review", last_event_at=ago(9))
    almost = MissionFactory(project=project, title="Almost", list="doing", last_event_at=ago(6))
    MissionFactory(project=project, title="An old idea", list="todo", last_event_at=ago(99))
    page = page_text(reviewer.get(board(project)))
    assert page.count("No movement for") == 1
    assert "No movement for 9 days" in page
    assert "Without movement" in page
    shown = page_text(reviewer.get(board(project), {"show": "stale"}))
    assert still.title in shown
    assert not any(each.title in shown for each in (moved, almost, mission))
    listed = reviewer.get(reverse("admin:fallback_mission_changelist"), {"movement": "none"})
    assert [each.pk for each in listed.context["cl"].result_list] == [still.pk]


@pytest.mark.rule("MissionBlocked")
@pytest.mark.parametrize("to", ["doing", "review", "done"])
def test_blocked_mission_needs_confirmation(reviewer, project, mission, to):
    add_dependency(actor=Member.objects.system(), mission=mission, depends_on=MissionFactory(project=project))
    answer = place(reviewer, mission, list=to)
    assert answer.status_code == 409
    assert answer.json()["field"] == "confirmed"
    mission.refresh_from_db()
    assert mission.list == "todo"
    assert place(reviewer, mission, list=to, confirmed="1").json()["ok"]
    # Within its list, and back to Todo, nothing is asked.
    assert place(reviewer, mission, list=to).json()["ok"]
    assert place(reviewer, mission, list="todo").json()["ok"]


def test_page_of_action_asks_for_confirmation(reviewer, project, mission):
    address = reverse("admin:fallback_mission_move", args=[mission.pk])
    assert "Move although it is blocked" not in page_text(reviewer.get(address))
    add_dependency(actor=Member.objects.system(), mission=mission, depends_on=MissionFactory(project=project))
    answer = reviewer.post(address, {"to": "doing"})
    assert "Confirm that you want to move it anyway." in page_text(answer)
    reviewer.post(address, {"to": "doing", "confirmed": "on"})
    mission.refresh_from_db()
    assert mission.list == "doing"
