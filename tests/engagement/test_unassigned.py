"""Received messages without a member: staff assign or dismiss them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from engagement.errors import MessageHandledAlready
from engagement.models import EngagementMessage, UnassignedMessage, UserProfile
from engagement.rules import UNASSIGNED_DAYS, UNASSIGNED_PER_SENDER, UnassignedReason
from engagement.services.unassigned import assign_message, dismiss_message, keep_message
from engagement.tasks import delete_unassigned
from groups.models import Event
from tests.support.admin import OfficeClient
from tests.support.database import rejected_by
from tests.support.factories.engagement import PersonFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

VALUES = {"platform": "email", "message_id": "<1@example.org>", "reason": UnassignedReason.UNKNOWN}


@pytest.fixture
def row():
    keep_message(**VALUES, sender="old@example.org", name="Ana", text="stop")
    return UnassignedMessage.objects.get()


@pytest.mark.rule(
    "unassigned_messages_member_handled",
    "unassigned_messages_reason_known",
    "unassigned_messages_text_removed",
    "unassigned_messages_unique",
)
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"message_id": "<1@example.org>"}, "unassigned_messages_unique"),
        ({"reason": "other"}, "unassigned_messages_reason_known"),
        ({"handled_at": timezone.now(), "text": "x"}, "unassigned_messages_text_removed"),
        ({"user": True}, "unassigned_messages_member_handled"),
        *(
            ({name: "a\nb"}, f"unassigned_messages_{name}_one_line")
            for name in ("platform", "message_id", "sender", "sender_name")
        ),
    ],
)
def test_database_rejects_wrong_rows(row, changes, rule):
    if "user" in changes:
        changes = {"user": PersonFactory()}
    with rejected_by(rule):
        UnassignedMessage.objects.create(**VALUES | {"message_id": "<2@example.org>"} | changes)


def test_assigned_message_has_its_effect(row):
    ana, staff = PersonFactory(state="active"), PersonFactory()
    assert assign_message(actor=staff, row=row, member=ana).effect == "opted_out"
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out
    row.refresh_from_db()
    assert (row.user, row.text, row.handled_at is not None) == (ana, "", True)
    event = Event.objects.get(type="inbound.assigned")
    assert (event.actor, event.member) == (staff, ana)
    assert "old@example.org" not in str(event.payload)
    for again in (assign_message, dismiss_message):
        with pytest.raises(MessageHandledAlready):
            again(actor=staff, row=row, **({"member": ana} if again is assign_message else {}))


def test_dismissed_message_has_no_effect(row):
    dismiss_message(actor=PersonFactory(), row=row, reason="spam")
    row.refresh_from_db()
    assert (row.user, row.text) == (None, "")
    assert not EngagementMessage.objects.exists()
    # Delivered again, it does not come back.
    assert not keep_message(**VALUES, sender="old@example.org", text="stop")


def test_one_sender_cannot_fill_the_list(row):
    for number in range(UNASSIGNED_PER_SENDER + 5):
        keep_message(**VALUES | {"message_id": f"<n{number}@x>"}, sender="old@example.org")
    assert UnassignedMessage.objects.count() == UNASSIGNED_PER_SENDER


def test_old_messages_are_deleted(row):
    assert delete_unassigned(timestamp=0) == 0
    UnassignedMessage.objects.update(received_at=timezone.now() - timedelta(days=UNASSIGNED_DAYS, minutes=1))
    assert delete_unassigned(timestamp=0) == 1


def test_staff_assign_on_page(row):
    ana = PersonFactory(email="ana@example.org", state="active")
    client = OfficeClient()
    client.force_login(StaffFactory(is_superuser=True))
    path = reverse("admin:engagement_unassignedmessage_assign", args=[row.pk])
    wrong = client.post(path, {"member": "nobody@example.org"})
    assert "No member has this stable ID or e-mail." in wrong.content.decode()
    assert 'value="nobody@example.org"' in wrong.content.decode()
    client.post(path, {"member": f" {ana.member_id.lower()} "})
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out
    page = client.get(reverse("admin:engagement_unassignedmessage_changelist"), {"status": "handled"})
    assert ana.display_name in page.content.decode()


def test_assign_page_shows_text_and_suggests_member():
    ana = PersonFactory(entry={"telegram_id": "4711"})
    keep_message(
        platform="telegram", message_id="1", sender="4711", text="hi <b>\nyou", reason=UnassignedReason.UNVERIFIED
    )
    client = OfficeClient()
    client.force_login(StaffFactory(is_superuser=True))
    path = reverse("admin:engagement_unassignedmessage_assign", args=[UnassignedMessage.objects.get().pk])
    page = client.get(path).content.decode()
    assert "hi &lt;b&gt;<br>you" in page
    assert f'value="{ana.member_id}"' in page
