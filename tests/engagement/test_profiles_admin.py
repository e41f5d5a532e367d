"""Admin pages of profiles: preferences and onboarding."""

import pytest
from django.urls import reverse

from engagement.models import EngagementMessage, UserProfile
from engagement.rules import MessageType
from groups.models import Event
from tests.support.admin import client, page_text
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/engagement/userprofile/"


def page(member, name: str = "change") -> str:
    return reverse(f"admin:engagement_userprofile_{name}", args=[member.pk])


def form(**changes) -> dict:
    values = {
        "preferred_destination": "individual",
        "locale": "en",
        "timezone": "UTC",
        "individual_jid": "",
        "group_jid": "",
    }
    return values | changes


@pytest.fixture
def operator():
    return client("Engagement Operator")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana", email="ana@example.org")


class TestEdit:
    def test_edit_uses_service(self, operator, ana):
        typed = form(preferred_destination="group", reengagement_opt_out="on", timezone="America/Sao_Paulo")
        answer = operator.post(page(ana), typed, follow=True)
        assert "was changed successfully" in page_text(answer)
        profile = UserProfile.objects.get(pk=ana.pk)
        assert (profile.preferred_destination, profile.reengagement_opt_out) == ("group", True)
        assert profile.timezone == "America/Sao_Paulo"
        event = Event.objects.get(type="profile.changed")
        assert event.member == ana
        assert event.payload["changed"]["timezone"] == ["UTC", "America/Sao_Paulo"]

    def test_duplicate_address_is_a_field_error(self, operator, ana):
        UserProfile.objects.filter(pk=MemberFactory().pk).update(individual_jid="551199@chat")
        answer = operator.post(page(ana), form(individual_jid="551199@chat"))
        assert answer.status_code == 200
        assert "Another member already has this address." in answer.context["adminform"].form.errors["individual_jid"]

    @pytest.mark.parametrize(
        "typed",
        [
            {"timezone": "Mars/Olympus"},
            {"timezone": "\x00"},
            {"locale": "fr"},
            {"preferred_destination": ""},
            {"individual_jid": "x" * 300},
            {"group_jid": "a\x00"},
        ],
    )
    def test_invalid_values_are_field_errors(self, operator, ana, typed):
        answer = operator.post(page(ana), form(**typed))
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == set(typed)

    def test_history_reverts_change(self, operator, ana):
        operator.post(page(ana), form(timezone="Asia/Tokyo"))
        change = operator.get(page(ana, "history")).context["changes"][0][0]
        operator.post(reverse("admin:engagement_userprofile_revert", args=[ana.pk, change.pgh_id]))
        assert UserProfile.objects.get(pk=ana.pk).timezone == "UTC"

    def test_viewer_cannot_change_profile(self, ana):
        auditor = client("Auditor")
        assert "Individual chat" in page_text(auditor.get(page(ana)))
        assert auditor.post(page(ana), form(locale="pt-BR")).status_code == 403
        assert auditor.post(page(ana, "complete-step"), {"step": "join_mission"}).status_code == 403
        assert auditor.get(f"{LIST}add/").status_code == 403

    def test_community_manager_can_change_profile(self, ana):
        client("Community Manager").post(page(ana), form(locale="pt-BR"))
        assert UserProfile.objects.get(pk=ana.pk).locale == "pt-BR"


class TestSteps:
    @pytest.mark.seed("002 Subtask 5.4")
    def test_last_step_completes_tier(self, operator, ana, settings):
        for step in settings.ENGAGEMENT_TIERS["1"]:
            assert "step completed" in page_text(operator.post(page(ana, "complete-step"), {"step": step}, follow=True))
        shown = page_text(operator.get(page(ana)))
        assert "1 of 3 tiers completed" in shown
        assert "Tier 1 (completed)" in shown
        assert "Complete a task: open" in shown
        assert EngagementMessage.objects.get(user=ana).message_type == MessageType.TIER_UNLOCK
        assert "Join a mission (completed)" in page_text(operator.get(page(ana, "complete-step")))

    @pytest.mark.parametrize("step", ["", "fly", "\x00"])
    def test_unknown_step_is_a_field_error(self, operator, ana, step):
        answer = operator.post(page(ana, "complete-step"), {"step": step})
        assert answer.status_code == 200
        assert "step" in answer.context["form"].errors

    @pytest.mark.parametrize(
        "progress", [{"1": "odd"}, {"1": {"join_mission": "no date"}}, {"9": {"x": 1}}, {"1": None}]
    )
    def test_invalid_progress_does_not_fail(self, operator, ana, progress):
        UserProfile.objects.filter(pk=ana.pk).update(onboarding_tier_progress=progress)
        assert operator.get(page(ana)).status_code == 200
        assert operator.get(page(ana, "complete-step")).status_code == 200


class TestList:
    def test_list_searches_and_filters(self, operator, ana):
        bob = MemberFactory(display_name="Bob")
        UserProfile.objects.filter(pk=bob.pk).update(reengagement_opt_out=True)
        assert "Ana" in page_text(operator.get(f"{LIST}?q=ana@example.org"))
        assert "Bob" not in page_text(operator.get(f"{LIST}?q=ana"))
        assert "Ana" not in page_text(operator.get(f"{LIST}?reengagement_opt_out__exact=1"))

    @pytest.mark.parametrize("rows", [1, 30])
    def test_list_makes_a_fixed_number_of_queries(self, operator, rows, django_assert_num_queries):
        for _ in range(rows):
            MemberFactory()
        operator.get(LIST)
        with django_assert_num_queries(9):
            operator.get(LIST)
