"""Onboarding: steps, tiers and the first mission."""

from datetime import UTC, datetime, timedelta

import pytest

from engagement.errors import ActionUnknown
from engagement.models import EngagementMessage, UserProfile
from engagement.services.lifecycle import transition
from engagement.services.onboarding import complete_action, record_magic_moment, restart_onboarding, tier_of
from groups.models import Member
from groups.services import directory
from groups.services.memberships import join_mission
from groups.services.participation import record_participation
from tests.support.factories.engagement import PersonFactory, move_to
from tests.support.factories.groups import ColonyFactory, EntryFactory, MissionFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TIERS = {
    "1": ["introduce_yourself", "verify_github", "join_mission"],
    "2": ["complete_task", "invite_member"],
    "3": ["lead_mission", "mentor_member"],
}


def take(person, *actions, at=NOW):
    for action in actions:
        complete_action(actor=person, member=person, action=action, at=at)
    return UserProfile.objects.get(pk=person.pk)


def unlocked(person):
    found = EngagementMessage.objects.filter(user=person, message_type="tier_unlock").order_by("pk")
    return [one.message_params["tier"] for one in found]


def test_tiers_match_settings(settings):
    assert settings.ENGAGEMENT_TIERS == TIERS
    assert {action: tier_of(action) for actions in TIERS.values() for action in actions} == {
        action: tier for tier, actions in TIERS.items() for action in actions
    }
    assert tier_of("dance") is None


def test_last_step_completes_tier():
    person = PersonFactory()
    assert take(person, *TIERS["1"][:2]).onboarding_tier == 0
    assert unlocked(person) == []
    profile = take(person, TIERS["1"][2])
    assert profile.onboarding_tier == 1
    at = NOW.isoformat()
    assert profile.onboarding_tier_progress == {"1": dict.fromkeys([*TIERS["1"], "completed_at"], at)}
    [message] = EngagementMessage.objects.filter(user=person)
    assert (message.message_type, message.message_params, message.scheduled_for) == ("tier_unlock", {"tier": 1}, NOW)
    assert message.idempotency_key == f"{person.pk}:tier_unlock_1:2026-03-02"


def test_tiers_complete_in_order():
    person = PersonFactory()
    take(person, *TIERS["1"], *TIERS["2"])
    assert take(person, *TIERS["3"]).onboarding_tier == 3
    assert unlocked(person) == [1, 2, 3]


def test_later_tier_waits_for_earlier_tiers():
    person = PersonFactory()
    assert take(person, *TIERS["3"], *TIERS["2"], *TIERS["1"][1:]).onboarding_tier == 0
    assert unlocked(person) == []
    # The last step of the first tier completes all three tiers.
    assert take(person, TIERS["1"][0]).onboarding_tier == 3
    assert unlocked(person) == [1, 2, 3]


def test_repeated_step_keeps_first_time():
    person = PersonFactory()
    first = take(person, "join_mission").onboarding_tier_progress
    assert take(person, "join_mission", at=NOW + timedelta(days=1)).onboarding_tier_progress == first
    take(person, *TIERS["1"])
    take(person, *TIERS["1"], at=NOW + timedelta(days=1))
    assert unlocked(person) == [1]


@pytest.mark.parametrize("action", ["dance", "", "completed_at", "JOIN_MISSION"])
def test_unknown_step_is_rejected_with_known_steps(action):
    person = PersonFactory()
    with pytest.raises(ActionUnknown, match="Choose one of: introduce_yourself"):
        take(person, action)
    assert UserProfile.objects.get(pk=person.pk).onboarding_tier_progress == {}


def test_tiers_can_be_configured(settings):
    settings.ENGAGEMENT_TIERS = {"1": ["join_mission"], "2": ["sing", "dance"]}
    person = PersonFactory()
    assert take(person, "join_mission").onboarding_tier == 1
    assert take(person, "dance", "sing").onboarding_tier == 2
    with pytest.raises(ActionUnknown):
        take(person, "lead_mission")
    assert unlocked(person) == [1, 2]


def test_unconfigured_steps_are_ignored(settings, django_capture_on_commit_callbacks):
    settings.ENGAGEMENT_TIERS = {"1": ["sing"]}
    person = PersonFactory()
    entry = EntryFactory(person=person)
    record_participation(
        member_id=entry.member_id, event_type="MESSAGE", platform="telegram", room_id="-1", occurred_at=NOW
    )
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=person, member=person, mission=MissionFactory())
    profile = UserProfile.objects.get(pk=person.pk)
    assert profile.onboarding_tier_progress == {}
    assert profile.magic_moment_at is not None


def test_restart_resets_first_tier_only():
    person = PersonFactory()
    take(person, *TIERS["1"], *TIERS["2"], "lead_mission")
    restart_onboarding(actor=person, member=person)
    profile = UserProfile.objects.get(pk=person.pk)
    assert profile.onboarding_tier == 0
    at = NOW.isoformat()
    assert profile.onboarding_tier_progress == {
        "2": {"complete_task": at, "invite_member": at},
        "3": {"lead_mission": at},
    }
    # Completed again on another day, both tiers queue their message again.
    assert take(person, *TIERS["1"], at=NOW + timedelta(days=1)).onboarding_tier == 2
    assert unlocked(person) == [1, 2, 1, 2]


def test_goodbye_response_1_restarts_onboarding():
    person = PersonFactory()
    take(person, *TIERS["1"])
    move_to(person, "goodbye_sent", at=NOW)
    transition(actor=person, member=person, trigger="goodbye_response_1", at=NOW)
    assert UserProfile.objects.get(pk=person.pk).onboarding_tier == 0


# --- Events of groups -----------------------------------------------------------------------------


def test_magic_moment_is_set_once(django_capture_on_commit_callbacks):
    person = PersonFactory()
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=person, member=person, mission=ColonyFactory())
    assert UserProfile.objects.get(pk=person.pk).magic_moment_at is None, "a colony is no mission"
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=person, member=person, mission=MissionFactory())
    first = UserProfile.objects.get(pk=person.pk).magic_moment_at
    assert first is not None
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=person, member=person, mission=MissionFactory())
    assert UserProfile.objects.get(pk=person.pk).magic_moment_at == first
    assert record_magic_moment(actor=person, member=person) is False


@pytest.mark.parametrize(("role", "step"), [("Lead", "lead_mission"), (" mentor ", "mentor_member"), ("Member", None)])
def test_role_completes_step(role, step, django_capture_on_commit_callbacks):
    person = PersonFactory()
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(actor=person, member=person, mission=MissionFactory(), role=role)
    steps = UserProfile.objects.get(pk=person.pk).onboarding_tier_progress
    assert list(steps.get("3", {})) == ([step] if step else [])


def test_verification_and_introduction_complete_steps(django_capture_on_commit_callbacks):
    person = PersonFactory()
    entry = EntryFactory(person=person, github_username="gh")
    with django_capture_on_commit_callbacks(execute=True):
        directory.verify_manually(actor=Member.objects.system(), entry=entry, how="seen")
    record_participation(
        member_id=entry.member_id, event_type="REACTION", platform="telegram", room_id="-1", occurred_at=NOW
    )
    assert set(UserProfile.objects.get(pk=person.pk).onboarding_tier_progress["1"]) == {"verify_github"}
    record_participation(
        member_id=entry.member_id, event_type="MESSAGE", platform="telegram", room_id="-1", occurred_at=NOW
    )
    steps = UserProfile.objects.get(pk=person.pk).onboarding_tier_progress["1"]
    assert steps["introduce_yourself"] == NOW.isoformat()
