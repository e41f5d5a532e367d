"""Announcements: recipients, skipped members with their reasons, and cancelling."""

from datetime import timedelta

import pytest
from django.utils import timezone

from engagement.errors import AnnouncementAlreadyCancelled, AnnouncementNotWaiting, AudienceChanged, NoRecipients
from engagement.models import Announcement, EngagementMessage, MessageTemplate
from engagement.rules import AddressReport
from engagement.selectors.announcements import SKIP_REASONS, audience_of, with_reason
from engagement.selectors.blocking import with_block_reason
from engagement.services.addresses import report_address
from engagement.services.announcements import announce, approve_announcement, cancel_announcement, key_of
from engagement.services.profiles import update_profile
from groups.models import CommunityMember, Event
from missionsite.common.errors import ConstraintViolated
from tests.support.database import rejected_by, rows
from tests.support.factories.engagement import ClaimFactory, MessageFactory, PersonFactory
from tests.support.factories.groups import EntryFactory, StaffFactory

pytestmark = pytest.mark.django_db

TEXTS = {"en": ("Summer", "Hi {{ name }}, summer is here."), "pt-BR": ("Verão", "Oi {{ name }}, o verão chegou.")}


def bounced():
    """Create a member from whom a message to the individual chat came back."""
    chat = "491512@s.whatsapp.net"
    made = person(profile={"individual_jid": chat})
    report_address(member=made, address=chat, report=AddressReport.HARD_BOUNCE, at=timezone.now())
    return made


def person(state="active", **kwargs):
    entry = {"entry": kwargs.pop("entry", {})}
    return PersonFactory(state=state, **entry, **kwargs)


@pytest.fixture
def crowd():
    """Create three recipients and one member for each skip reason."""
    return {
        "": [
            person(),
            person(state="help_flow", profile={"preferred_destination": "group", "group_jid": "us@chat"}),
            # No activity yet, so no row.
            PersonFactory(entry={}),
        ],
        "no_account": [EntryFactory(person=None)],
        "suspended": [person(entry={"status": "suspended"})],
        "banned": [person(entry={"status": "banned"})],
        "not_approved": [person(entry={"status": "pending"}), person(entry={"status": "not_member"})],
        "removed": [person(entry={"deleted_at": timezone.now()})],
        "locked": [person(is_active=False)],
        "opted_out": [person(profile={"reengagement_opt_out": True})],
        "dormant": [person(state="dormant")],
        "suppressed": [bounced()],
        "muted": [person(profile={"muted_topics": ["events", "news"]})],
    }


def entries():
    return CommunityMember.objects.all()


def send(**kwargs):
    values = {"actor": StaffFactory(), "entries": entries(), "title": "Summer", "texts": TEXTS}
    return announce(**(values | kwargs))


def test_unblocked_members_are_recipients(crowd):
    audience = audience_of(entries())
    assert audience.recipients == 3
    assert audience.skipped == {reason: len(people) for reason, people in crowd.items() if reason}
    assert audience.total == entries().count() == 14
    # With channels, another reason: test_channels.py.
    assert set(audience.skipped) == set(SKIP_REASONS) - {"unreachable"}
    by_reason = dict(with_reason(entries()).values_list("person_id", "reason"))
    assert all(
        by_reason[one.pk] == reason for reason, people in crowd.items() if reason != "no_account" for one in people
    )

    staff, due = StaffFactory(), timezone.now() + timedelta(days=1)
    announcement = send(expected=3, scheduled_for=due, actor=staff, audience="status=active")
    messages = EngagementMessage.objects.filter(announcement=announcement)
    assert set(messages.values_list("user", flat=True)) == {one.pk for one in crowd[""]}
    assert {(one.message_type, one.message_key, one.status, one.scheduled_for) for one in messages} == {
        ("announcement", key_of(announcement), "pending", due)
    }
    assert {one.idempotency_key for one in messages} == {f"{p.pk}:announcement:{announcement.pk}" for p in crowd[""]}
    [to_group] = messages.filter(destination="group")
    assert (to_group.user_id, to_group.destination_jid) == (crowd[""][1].pk, "us@chat")
    stored = Announcement.objects.get(pk=announcement.pk)
    assert (stored.recipients, stored.skipped, stored.audience) == (3, audience.skipped, "status=active")
    assert stored.created_by == staff
    templates = MessageTemplate.objects.filter(announcement=announcement)
    assert {one.locale: (one.subject, one.body) for one in templates} == TEXTS
    event = Event.objects.get(type="announcement.made")
    assert (event.actor_id, event.payload["recipients"]) == (staff.pk, 3)


def test_topic_decides_who_is_skipped(crowd):
    assert audience_of(entries(), topic="missions").recipients == 4
    announcement = send(topic="missions", expected=4)
    assert (announcement.topic, announcement.recipients) == ("missions", 4)
    message = EngagementMessage.objects.get(user=crowd["muted"][0])
    assert with_block_reason(EngagementMessage.objects.filter(pk=message.pk)).get().block_reason is None
    update_profile(actor=message.user, member=message.user, muted_topics=["missions"])
    assert with_block_reason(EngagementMessage.objects.filter(pk=message.pk)).get().block_reason == "muted"


def test_first_of_several_reasons_counts(crowd):
    person(state="dormant", is_active=False, profile={"reengagement_opt_out": True}, entry={"status": "banned"})
    assert audience_of(entries()).skipped["locked"] == 2
    assert audience_of(entries()).total == 15


def test_only_filtered_members_are_recipients(crowd):
    chosen = entries().filter(person=crowd[""][0])
    announcement = send(entries=chosen, expected=1)
    assert announcement.recipients == EngagementMessage.objects.filter(announcement=announcement).count() == 1


def test_changed_recipient_count_is_rejected(crowd):
    shown = audience_of(entries()).recipients
    crowd[""][0].engagement_profile.__class__.objects.filter(pk=crowd[""][0].pk).update(reengagement_opt_out=True)
    with pytest.raises(AudienceChanged, match="changed from 3 to 2"):
        send(expected=shown)
    assert not Announcement.objects.exists()
    assert not EngagementMessage.objects.filter(message_type="announcement").exists()
    assert not MessageTemplate.objects.filter(key__startswith="announcement-").exists()


@pytest.mark.parametrize("of", [CommunityMember.objects.none(), None])
def test_announcement_without_recipients_is_rejected(of):
    person(state="dormant")
    with pytest.raises(NoRecipients):
        send(entries=entries() if of is None else of.all())
    assert not Announcement.objects.exists()


def test_two_announcements_queue_two_messages():
    who = person()
    first, second = send(), send()
    assert first.pk != second.pk
    assert EngagementMessage.objects.filter(user=who, message_type="announcement").count() == 2


def test_cancelling_announcement_cancels_unsent_messages(crowd):
    announcement = send()
    sent, failed, claimed = EngagementMessage.objects.filter(announcement=announcement).order_by("pk")
    rows("UPDATE engagement_message_queue SET status = 'sent', sent_at = now() WHERE id = %s", [sent.pk])
    rows("UPDATE engagement_message_queue SET status = 'failed' WHERE id = %s", [failed.pk])
    ClaimFactory(messages=[claimed])
    other = send()
    staff = StaffFactory()
    assert cancel_announcement(announcement=announcement, actor=staff).cancelled_at is not None
    now = dict(EngagementMessage.objects.filter(announcement=announcement).values_list("pk", "status"))
    # The sender of a claimed message cancels it.
    assert now == {sent.pk: "sent", failed.pk: "cancelled", claimed.pk: "pending"}
    assert EngagementMessage.objects.get(pk=failed.pk).error_message == "The announcement was cancelled."
    assert set(EngagementMessage.objects.filter(announcement=other).values_list("status", flat=True)) == {"pending"}
    event = Event.objects.get(type="announcement.cancelled")
    assert (event.actor_id, event.payload["withdrawn"]) == (staff.pk, 1)
    with pytest.raises(AnnouncementAlreadyCancelled):
        cancel_announcement(actor=StaffFactory(), announcement=announcement)


def test_announce_makes_a_fixed_number_of_queries(django_assert_max_num_queries):
    for _each in range(15):
        person()
    with django_assert_max_num_queries(14):
        assert send().recipients == 15


# --- Rate and approval ----------------------------------------------------------------------------


def test_messages_are_spread_over_time(crowd):
    due = timezone.now()
    announcement = send(scheduled_for=due, per_hour=2)
    found = EngagementMessage.objects.filter(announcement=announcement).order_by("scheduled_for")
    assert [message.scheduled_for for message in found] == [due + timedelta(minutes=30 * turn) for turn in range(3)]
    with rejected_by("engagement_announcements_per_hour_positive"):
        Announcement.objects.filter(pk=announcement.pk).update(per_hour=0)


@pytest.mark.rule("engagement_announcements_second_person", "engagement_message_queue_announcement_approved")
def test_large_announcement_waits_for_second_person(crowd, settings):
    settings.ENGAGEMENT_APPROVAL_ABOVE = 2
    author, second = StaffFactory(), StaffFactory()
    announcement = send(actor=author)
    assert (announcement.is_waiting, announcement.recipients) == (True, 3)
    assert not EngagementMessage.objects.filter(announcement=announcement).exists()
    with rejected_by("engagement_message_queue_announcement_approved"):
        MessageFactory(announcement=announcement)
    with pytest.raises(ConstraintViolated, match="other than the author"):
        approve_announcement(actor=author, announcement=announcement)
    approved = approve_announcement(actor=second, announcement=announcement)
    assert EngagementMessage.objects.filter(announcement=announcement).count() == approved.recipients == 3
    assert (approved.approved_by, approved.waiting_ids) == (second, [])
    with pytest.raises(AnnouncementNotWaiting):
        approve_announcement(actor=second, announcement=announcement)


def test_small_announcement_needs_no_approval(crowd, settings):
    settings.ENGAGEMENT_APPROVAL_ABOVE = 3
    assert not send().is_waiting


def test_cancelled_announcement_is_not_approved(crowd, settings):
    settings.ENGAGEMENT_APPROVAL_ABOVE = 2
    announcement = send()
    cancel_announcement(actor=StaffFactory(), announcement=announcement)
    with pytest.raises(AnnouncementAlreadyCancelled):
        approve_announcement(actor=StaffFactory(), announcement=announcement)
