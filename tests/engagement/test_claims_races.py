"""Changes of messages during a concurrent claim: either the claim or the change succeeds."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from engagement.errors import MessageBeingSent
from engagement.models import Announcement, EngagementMessage
from engagement.selectors.claims import find_claims
from engagement.services import claims, messages
from engagement.services.announcements import cancel_announcement
from engagement.services.messages import cancel_message, postpone_message
from engagement.services.profiles import switch_destination
from tests.common.test_worker import until
from tests.engagement.fake_provider import NOON
from tests.support.concurrency import PATIENCE, crowd, without
from tests.support.database import own_connection
from tests.support.factories.engagement import AnnouncementFactory, MessageFactory

pytestmark = pytest.mark.django_db(transaction=True)

CHANGES = {
    "cancel": lambda message: cancel_message(actor=message.user, message=message),
    "postpone": lambda message: postpone_message(actor=message.user, message=message, until=NOON + timedelta(days=3)),
    "write to the group": lambda message: switch_destination(actor=message.user, member=message.user, to="group"),
    "cancel the announcement": lambda message: cancel_announcement(
        actor=message.user, announcement=Announcement.objects.get()
    ),
}


def waits_for_lock(watcher) -> bool:
    return bool(
        watcher.execute(
            """SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                   AND pid <> pg_backend_pid()"""
        ).fetchone()
    )


def change_during_claim(change) -> tuple[EngagementMessage, object]:
    """Change a message while a claim of it is not committed; return the message and the result of the change."""
    message = MessageFactory(
        message_type="announcement", announcement=AnnouncementFactory(), scheduled_for=NOON - timedelta(hours=1)
    )
    claimed, changed = threading.Event(), threading.Event()

    def play(number: int):
        if number:
            assert claimed.wait(PATIENCE)
            try:
                return change(message)
            finally:
                changed.set()
        with transaction.atomic():
            batch = claims.claim(sender="race", at=NOON, most=10, lease=timedelta(minutes=1))
            claimed.set()
            until(lambda: changed.is_set() or waits_for_lock(watcher), "the other transaction to reach the row")
        return batch

    with crowd(2) as people, own_connection() as watcher:
        batch, result = people.run(play)
    assert [each.id for each in batch.messages] == [message.id]
    assert set(find_claims([message.id])) == {message.id}
    return EngagementMessage.objects.get(pk=message.pk), result


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_message_being_claimed_cannot_be_changed(change):
    message, result = change_during_claim(change)
    assert (message.status, message.destination) == ("pending", "individual")
    assert message.scheduled_for == NOON - timedelta(hours=1)
    if change in (CHANGES["cancel"], CHANGES["postpone"]):
        assert isinstance(result, MessageBeingSent)
    else:
        assert not isinstance(result, Exception), result


@pytest.mark.long
def test_control_check_before_lock_cancels_claimed_message(monkeypatch):
    """Negative control: the claim is not visible yet when it is checked."""

    def ask_first(message, **_):
        assert not find_claims([message.pk])
        return EngagementMessage.objects.select_for_update(of=("self",)).select_related("user").get(pk=message.pk)

    monkeypatch.setattr(messages, "_lock_message", ask_first)
    message, result = change_during_claim(CHANGES["cancel"])
    assert (message.status, result.status) == ("cancelled", "cancelled")


@pytest.mark.long
@pytest.mark.parametrize(
    ("function", "lock", "change", "changed"),
    [
        ("redirect_pending_messages", "PERFORM 1 FROM", "write to the group", ("pending", "group")),
        (
            "cancel_announcement_messages",
            "FOR NO KEY UPDATE SKIP LOCKED",
            "cancel the announcement",
            ("cancelled", "individual"),
        ),
    ],
)
def test_control_without_locks_claimed_message_changes(function, lock, change, changed):
    """Negative control: a statement that starts before the commit does not see the claim."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [function])
        [whole] = cursor.fetchone()
    unlocked = whole.replace("FOR NO KEY UPDATE SKIP LOCKED", "").replace("FOR NO KEY UPDATE;", ";")
    assert lock in whole
    assert unlocked != whole
    with without(unlocked, whole):
        message, _result = change_during_claim(CHANGES[change])
    assert (message.status, message.destination) == changed
