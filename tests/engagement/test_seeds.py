"""Seeds of this app: every page has data, and the data follows the rules."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from engagement.models import (
    Announcement,
    EngagementMessage,
    EngagementStateTransition,
    MessageTemplate,
    UserEngagementState,
    UserProfile,
)
from engagement.rules import MessageType, State, Status, TransitionTrigger, WaitingFor
from engagement.services.messages import enqueue
from engagement.services.onboarding import COMPLETED
from groups.models import Member

FIXTURE = Path(apps.get_app_config("engagement").path) / "fixtures" / "seeds.json"

pytestmark = pytest.mark.django_db


def everything() -> dict[str, list]:
    """Return every row of every table of the app."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("engagement").get_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def values_of(model, field: str) -> set:
    return set(model.objects.order_by().values_list(field, flat=True).distinct())


def test_seeds_load_twice_with_same_rows(seeds):
    before = everything()
    assert len(before["engagement_message_queue"]) == 46
    call_command("loaddata", "seeds", verbosity=0)
    assert everything() == before


def test_seeds_keep_later_changes(seeds):
    chiara = UserProfile.objects.get(user__member_id="FE-P-00003")
    chiara.reengagement_opt_out = True
    chiara.save(update_fields=["reengagement_opt_out"])
    before = everything()
    call_command("loaddata", "seeds", verbosity=0)
    assert everything() == before


def test_seeds_load_with_existing_members(seeds):
    """Existing profiles and default templates do not mean that the seeds are loaded."""
    assert UserProfile.objects.count() == Member.objects.count()
    assert MessageTemplate.objects.filter(announcement=None).count() == 24
    assert UserProfile.objects.exclude(individual_jid="").count() > 20


def test_every_fixture_row_is_stored(seeds):
    listed = json.loads(FIXTURE.read_text(encoding="utf-8"))
    for row in listed:
        apps.get_model(row["model"]).objects.get(pk=row["pk"])
    for model in (UserEngagementState, EngagementStateTransition, EngagementMessage, Announcement):
        assert model.objects.count() == sum(row["model"] == model._meta.label_lower for row in listed)


def test_rows_after_seeds_get_new_ids(seeds):
    made = enqueue(member=Member.objects.get(member_id="FE-P-00001"), message_type=MessageType.TIER_UNLOCK)
    assert made.pk > 42


@pytest.mark.seed("002 example members in every state, whenever they are loaded")
@pytest.mark.parametrize(
    ("model", "field", "choices"),
    [
        (UserEngagementState, "state", State),
        (EngagementStateTransition, "trigger", TransitionTrigger),
        (EngagementMessage, "status", Status),
        (EngagementMessage, "message_type", MessageType),
        (EngagementMessage, "waiting_for", WaitingFor),
    ],
    ids=["state", "trigger", "status", "message_type", "waiting_for"],
)
def test_seeds_contain_every_choice(seeds, model, field, choices):
    assert values_of(model, field) == set(choices.values)


def test_seeds_contain_exactly_the_ten_transitions(seeds):
    moves = EngagementStateTransition.objects.order_by().values_list("from_state", "trigger", "to_state").distinct()
    assert len(moves) == 10


def test_each_state_matches_last_transition(seeds):
    for state in UserEngagementState.objects.all():
        moves = list(EngagementStateTransition.objects.filter(user=state.user).order_by("created_at"))
        assert [move.from_state for move in moves] == [State.ACTIVE, *(move.to_state for move in moves)][: len(moves)]
        assert (moves[-1].to_state if moves else State.ACTIVE) == state.state


@pytest.mark.seed("002 example members in every state, whenever they are loaded")
def test_seed_dates_match_writing_day(seeds):
    """After loading: past events are in the past, goodbyes are pending, and a member is not inactive yet."""
    now = timezone.now()
    assert not UserEngagementState.objects.filter(last_activity_at__gt=now).exists()
    assert not EngagementStateTransition.objects.filter(created_at__gt=now).exists()
    assert not EngagementMessage.objects.filter(sent_at__gt=now).exists()
    waiting = UserEngagementState.objects.filter(state=State.GOODBYE_SENT)
    assert waiting.count() == waiting.filter(goodbye_expires_at__gt=now).count() == 2
    assert UserEngagementState.objects.filter(state=State.REMIND_LATER, remind_at__gt=now).count() == 2
    quiet = now - timedelta(days=14)
    assert UserEngagementState.objects.filter(state=State.ACTIVE, last_activity_at__gt=quiet).count() > 5
    pending = EngagementMessage.objects.filter(status=Status.PENDING)
    assert pending.filter(scheduled_for__lte=now).count() == 2
    assert pending.filter(scheduled_for__gt=now).count() >= 5


def test_seed_messages_respect_frequency_cap(seeds):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM members_over_frequency_cap(%s, %s)",
            [settings.ENGAGEMENT_FREQUENCY_CAP, settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD],
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT count(*) FROM engagement_message_queue"
            " WHERE status = 'sent' AND attempted_at IS DISTINCT FROM sent_at"
        )
        assert cursor.fetchone() == (0,)


def test_seed_tiers_match_completed_steps(seeds):
    for profile in UserProfile.objects.all():
        progress = profile.onboarding_tier_progress
        done = [
            tier
            for tier, steps in sorted(settings.ENGAGEMENT_TIERS.items())
            if all(step in progress.get(tier, {}) for step in steps)
        ]
        assert [int(tier) for tier in done] == list(range(1, profile.onboarding_tier + 1)), profile
        assert [tier for tier in progress if COMPLETED in progress[tier]] == done


def test_seed_messages_match_destinations(seeds):
    for message in EngagementMessage.objects.select_related("user__engagement_profile"):
        profile = message.user.engagement_profile
        may_go_to_group = message.message_type == "announcement"
        assert message.destination == (profile.preferred_destination if may_go_to_group else "individual")
        wanted = profile.group_jid if message.destination == "group" else profile.individual_jid
        assert message.destination_jid == wanted


def test_seed_announcement_has_texts_and_counts(seeds):
    announcement = Announcement.objects.get()
    assert set(announcement.texts.values_list("locale", flat=True)) == {"en", "pt-BR"}
    assert announcement.messages.count() == announcement.recipients
    assert values_of(UserProfile, "locale") == {"en", "pt-BR"}
    assert values_of(UserProfile, "preferred_destination") == {"individual", "group"}
    assert values_of(UserProfile, "onboarding_tier") == {0, 1, 2, 3}
    assert UserProfile.objects.filter(reengagement_opt_out=True).count() == 2
