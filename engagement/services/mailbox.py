"""Reads the mailbox that replies arrive in: each message once, a limited number per run."""

import email
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from engagement.models import Mailbox
from engagement.services.incoming_mail import receive_or_keep
from engagement.transports.imap import MailboxReader

# Messages of one run. The others are read by the next one.
MOST = 100
# How many days of messages are read when a mailbox is read for the first time, or when its UIDs have a new meaning.
FIRST_DAYS = 3


def read_mailbox(*, reader: MailboxReader | None = None, most: int = MOST, seconds: float = 45) -> int:
    """Handle the new messages of the mailbox of the settings; return how many.

    Raises MailboxNotConfigured, MailboxUnavailable. What was handled before an error is not handled again: the position
    is stored in the transaction of each message.
    """
    until = time.monotonic() + seconds
    handled = 0
    with reader or MailboxReader(settings.ENGAGEMENT_MAILBOX) as mailbox:
        last = _position(mailbox)
        for uid in mailbox.uids_after(last)[:most]:
            raw = mailbox.fetch(uid)
            with transaction.atomic():
                row = Mailbox.objects.lock(mailbox.name)
                if row.uid_validity != mailbox.uid_validity or row.last_uid >= uid:
                    # Another process reads this mailbox.
                    break
                if raw is not None:
                    reference = f"{mailbox.name}:{mailbox.uid_validity}:{uid}"
                    receive_or_keep(email.message_from_bytes(raw), reference=reference)
                    handled += 1
                row.last_uid, row.read_at = uid, timezone.now()
                row.save(update_fields=["last_uid", "read_at"])
            if time.monotonic() >= until:
                break
    return handled


def _position(mailbox: MailboxReader) -> int:
    """Return the UID of the last message that was read; for a new mailbox, start some days ago."""
    row = Mailbox.objects.filter(pk=mailbox.name).first()
    if row and row.uid_validity == mailbox.uid_validity:
        return row.last_uid
    recent = mailbox.uids_since((timezone.now() - timedelta(days=FIRST_DAYS)).date())
    start = min(recent) - 1 if recent else max(mailbox.uid_next - 1, 0)
    Mailbox.objects.update_or_create(
        name=mailbox.name,
        defaults={"uid_validity": mailbox.uid_validity, "last_uid": start, "read_at": timezone.now()},
    )
    return start
