"""Send notifications by e-mail: each at once, or the latest ones together once a day.

A sending is recorded before and after it (`email_unconfirmed`). If the process ends in between, whether the e-mail was
sent is not known; it is sent once more with the same Message-ID, and then no more: there is at most one duplicate.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from fallback.models import Notification
from fallback.models.choices import Channel
from groups.models import Member

logger = logging.getLogger(__name__)
# E-mails of one run of the job, and when a failed one is tried again.
BATCH = 200
RETRY_AFTER = timedelta(minutes=15)
MOST_FAILURES = 5
# Sendings of which the outcome is not known: the first, and one repetition.
MOST_UNCONFIRMED = 2
# Notifications listed in a digest.
LISTED = 50
_SALT = "fallback.notifications.unsubscribe"


def send_due_emails(*, at: datetime | None = None) -> int:
    """Send the e-mails that are due. Returns how many were sent. at: aware datetime; now by default.

    Several processes can run it at the same time: each takes rows that no other one has.
    """
    at = at or timezone.now()
    sent = 0
    for group in _claim(at):
        sent += _send(group, at)
    return sent


@transaction.atomic
def _claim(at: datetime) -> list[list[Notification]]:
    """Take due notifications, with those of a digest as one group. Those that were read or archived are left out."""
    due = Notification.objects.filter(email_due_at__lte=at)
    # Read in the inbox in the meantime. Those without the inbox are archived from the start.
    due.filter(read_at__isnull=False, archived_at=None).update(email_due_at=None)
    rows = list(
        due.order_by("member_id", "email_channel", "created_at", "id")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("member", "project")[:BATCH]
    )
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
        email_unconfirmed=F("email_unconfirmed") + 1, email_due_at=at + RETRY_AFTER
    )
    groups: list[list[Notification]] = []
    for (_member, channel), found in groupby(rows, key=lambda row: (row.member_id, row.email_channel)):
        several = list(found)
        groups += [several] if channel == Channel.DIGEST else [[row] for row in several]
    return groups


def _send(group: Sequence[Notification], at: datetime) -> bool:
    """Send one e-mail, and record the outcome."""
    rows = Notification.objects.filter(pk__in=[row.pk for row in group])
    member = group[0].member
    if not member.is_active or not member.email or max(row.email_unconfirmed for row in group) >= MOST_UNCONFIRMED:
        rows.update(email_due_at=None, email_unconfirmed=F("email_unconfirmed") - 1)
        return False
    try:
        email_of(member, group).send()
    except (OSError, smtplib.SMTPException):
        logger.exception("An e-mail about notifications was not sent.")
        rows.update(email_unconfirmed=F("email_unconfirmed") - 1, email_failures=F("email_failures") + 1)
        rows.filter(email_failures__gte=MOST_FAILURES).update(email_due_at=None)
        return False
    rows.update(email_unconfirmed=F("email_unconfirmed") - 1, email_due_at=None, emailed_at=at)
    return True


def email_of(member: Member, group: Sequence[Notification]) -> EmailMessage:
    """The e-mail about one notification, or about several."""
    lines = [_line(each) for each in group[:LISTED]]
    if len(group) > LISTED:
        lines.append(gettext("and {number} more").format(number=len(group) - LISTED))
    subject = (
        title_of(group[0])
        if len(group) == 1
        else ngettext("{number} notification", "{number} notifications", len(group)).format(number=len(group))
    )
    inbox, stop = f"{settings.SITE_URL}{reverse('admin:fallback_inbox')}", unsubscribe_url(member.pk)
    body = "\n".join(
        [
            *lines,
            "",
            gettext("Inbox: {address}").format(address=inbox),
            gettext("Stop these e-mails: {address}").format(address=stop),
        ]
    )
    key = sha256(" ".join(each.pk for each in group).encode()).hexdigest()[:40]
    headers = {
        "Message-ID": f"<{key}@notifications.missionsite>",
        # RFC 3834: prevents automatic replies.
        "Auto-Submitted": "auto-generated",
        # RFC 8058.
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    one_line = " ".join(subject.split())
    return EmailMessage(one_line, body, settings.DEFAULT_FROM_EMAIL, [member.email], headers=headers)


def title_of(notification: Notification) -> str:
    """The title of a notification. Titles of this app are stored in English."""
    return gettext(notification.title)


def _line(notification: Notification) -> str:
    project = f" ({notification.project.name})" if notification.project else ""
    return f"- {title_of(notification)}{project}"


# --- Unsubscribe link ----------------------------------------------------------------------------


def unsubscribe_url(member_id: UUID) -> str:
    """The address where one POST ends the e-mails of a member. Valid without a time limit."""
    token = signing.dumps(str(member_id), salt=_SALT)
    return f"{settings.SITE_URL}{reverse('unsubscribe', args=[token])}"


def member_of(token: str) -> Member | None:
    """The member of a link; None for an invalid token."""
    try:
        return Member.objects.filter(pk=UUID(signing.loads(token, salt=_SALT))).first()
    except (signing.BadSignature, ValueError, TypeError):
        return None
