"""Sequences: steps by day and condition, stop conditions, once per member, preview, editing."""

from datetime import timedelta

import pytest
from django.urls import reverse

from engagement.errors import TemplateMissing
from engagement.models import EngagementMessage, Sequence, SequenceMember, SequenceStep, UserProfile
from engagement.rules import SequenceStart
from engagement.selectors.sequences import preview_of
from engagement.services.sequences import add_step, advance_sequences, start_sequences
from tests.engagement.fake_provider import NOON
from tests.support.admin import client, page_text
from tests.support.concurrency import CONTROL_ROUNDS, crowd, without
from tests.support.database import rejected_by, rows
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return PersonFactory(display_name="Ana", entry={})


def start(member, at=NOON) -> int:
    return start_sequences(member=member, start=SequenceStart.APPROVED, at=at)


def sent_to(member) -> list[str]:
    return list(EngagementMessage.objects.filter(user=member).order_by("pk").values_list("message_key", flat=True))


def after(days: float) -> int:
    return advance_sequences(at=NOON + timedelta(days=days))


def test_onboarding_is_a_sequence(ana):
    assert start(ana) == 1
    assert sent_to(ana) == ["welcome"]
    for day in range(1, 15):
        after(day)
    assert sent_to(ana) == ["welcome", "sequence_first_mission", "sequence_first_steps"]
    welcome, mission, _steps = EngagementMessage.objects.filter(user=ana).order_by("pk")
    assert (welcome.message_type, welcome.topic) == ("welcome", "")
    assert (mission.message_type, mission.topic) == ("sequence", "getting_started")
    assert mission.scheduled_for == NOON + timedelta(days=3)
    assert SequenceMember.objects.get(user=ana).end_reason == "finished"


def test_step_is_skipped_if_condition_is_not_true(ana):
    start(ana)
    UserProfile.objects.filter(pk=ana.pk).update(magic_moment_at=NOON)
    for day in range(1, 12):
        after(day)
    assert sent_to(ana) == ["welcome", "sequence_first_steps"]


def test_step_is_sent_late_only_within_days_of_grace(ana):
    late, too_late = ana, PersonFactory(entry={})
    start(late)
    start(too_late, at=NOON - timedelta(days=2))
    after(5)
    assert sent_to(late) == ["welcome", "sequence_first_mission"]
    assert sent_to(too_late) == ["welcome"]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("UPDATE user_profiles SET reengagement_opt_out = true WHERE user_id = %s RETURNING 1", "opted_out"),
        ("UPDATE community_members SET status = 'suspended' WHERE person_id = %s RETURNING 1", "left"),
        ("UPDATE members SET is_active = false WHERE id = %s RETURNING 1", "left"),
    ],
)
def test_sequence_stops(ana, stop, reason):
    start(ana)
    rows(stop, [ana.pk])
    after(3)
    assert sent_to(ana) == ["welcome"]
    assert SequenceMember.objects.get(user=ana).end_reason == reason


def test_dormant_member_ends_and_asked_member_waits():
    dormant, asked = PersonFactory(entry={}, state="dormant"), PersonFactory(entry={}, state="goodbye_sent")
    for member in (dormant, asked):
        SequenceMember.objects.create(sequence=Sequence.objects.get(), user=member, started_at=NOON)
    after(3)
    assert not EngagementMessage.objects.filter(message_type="sequence").exists()
    assert SequenceMember.objects.get(user=dormant).end_reason == "dormant"
    assert SequenceMember.objects.get(user=asked).ended_at is None


def test_muted_topic_stops_its_steps(ana):
    start(ana)
    UserProfile.objects.filter(pk=ana.pk).update(muted_topics=["getting_started"])
    assert after(3) == 0


@pytest.mark.rule("engagement_message_queue_step_once", "engagement_sequence_members_unique")
def test_step_is_queued_once_per_member(ana):
    start(ana)
    assert start(ana) == after(0) == 0
    step = SequenceStep.objects.get(template_key="welcome")
    with rejected_by("engagement_message_queue_step_once"):
        MessageFactory(user=ana, step=step, idempotency_key="another")
    with rejected_by("engagement_sequence_members_unique"):
        SequenceMember.objects.create(sequence=step.sequence, user=ana, started_at=NOON)


def test_welcomed_member_is_not_welcomed_again(ana):
    MessageFactory(user=ana, welcome=True)
    assert start(ana) == 0
    assert sent_to(ana) == ["welcome"]


def test_sequence_that_is_not_in_use_sends_nothing(ana):
    Sequence.objects.update(is_enabled=False)
    assert start(ana) == 0
    assert sent_to(ana) == []


# --- Preview and editing --------------------------------------------------------------------------


def test_preview_says_what_is_sent_when_and_why_not(ana):
    UserProfile.objects.filter(pk=ana.pk).update(timezone="America/Sao_Paulo", onboarding_tier=1)
    # 23:00 in São Paulo.
    night = NOON + timedelta(hours=14)
    lines = preview_of(Sequence.objects.get(), ana, at=night)
    assert [line.at for line in lines] == [night, NOON + timedelta(days=3, hours=23), None]
    assert lines[2].result.startswith("Skipped unless this changes")
    start(ana)
    assert preview_of(Sequence.objects.get(), ana, at=NOON)[0].result == "Pending"


def test_pages_edit_sequences_and_steps(ana):
    operator = client("Engagement Operator")
    typed = {"name": "Newcomers", "start": "first_mission", "topic": "missions", "is_enabled": "on"}
    answer = operator.post(reverse("admin:engagement_sequence_add"), typed, follow=True)
    assert "was added successfully" in page_text(answer)
    made = Sequence.objects.get(name="Newcomers")
    step = {"sequence": made.pk, "delay_days": "2", "condition": "always", "template_key": "sequence_first_steps"}
    operator.post(reverse("admin:engagement_sequencestep_add"), step | {"is_enabled": "on"})
    assert "sequence_first_steps" in page_text(operator.get(reverse("admin:engagement_sequence_steps", args=[made.pk])))
    change = reverse("admin:engagement_sequencestep_change", args=[made.steps.get().pk])
    answer = operator.post(change, {"delay_days": "500", "condition": "always", "template_key": "sequence_first_steps"})
    assert "Choose at most 365 days." in page_text(answer)
    preview = operator.get(reverse("admin:engagement_sequence_preview", args=[made.pk]), {"member": str(ana.pk)})
    assert "Would be sent" in page_text(preview)
    assert client("Auditor").post(reverse("admin:engagement_sequence_add"), typed).status_code == 403


def test_step_needs_template_with_english_text():
    with pytest.raises(TemplateMissing):
        add_step(actor=StaffFactory(), sequence=Sequence.objects.get(), template_key="sequence_nothing")


# --- Races ----------------------------------------------------------------------------------------


def race() -> int:
    """Run four sweeps at the same time for members with a due step; return the number of messages."""
    members = [PersonFactory(entry={}) for _ in range(30)]
    for member in members:
        start(member)
    with crowd(4) as sweepers:
        done = sweepers.run(lambda _n: after(3))
    assert not [one for one in done if isinstance(one, Exception)], done
    return EngagementMessage.objects.filter(user__in=members, message_type="sequence").count()


@pytest.mark.django_db(transaction=True)
def test_concurrent_sweeps_queue_each_step_once():
    assert race() == 30


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_control_without_unique_keys_steps_are_queued_twice():
    """Negative control: only the unique indexes keep concurrent sweeps from queueing a step twice."""
    with without(
        """DROP INDEX engagement_message_queue_step_once;
           CREATE FUNCTION another_key() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN NEW.idempotency_key := NEW.idempotency_key || gen_random_uuid(); RETURN NEW; END $$;
           CREATE TRIGGER another_key BEFORE INSERT ON engagement_message_queue
               FOR EACH ROW EXECUTE FUNCTION another_key()""",
        """DROP TRIGGER another_key ON engagement_message_queue; DROP FUNCTION another_key();
           UPDATE engagement_message_queue SET step_id = NULL;
           CREATE UNIQUE INDEX engagement_message_queue_step_once ON engagement_message_queue (step_id, user_id)
               WHERE (step_id IS NOT NULL)""",
    ):
        assert any(race() > 30 for _round in range(CONTROL_ROUNDS))
