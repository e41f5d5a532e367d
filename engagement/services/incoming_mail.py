"""Handles received e-mails: replies of members, requests to unsubscribe, bounces. received_mail.py reads them."""

import logging
from datetime import datetime
from email.message import Message
from email.utils import parseaddr

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from engagement.models import EngagementMessage
from engagement.rules import AddressReport, Channel, ReceiptStatus, UnassignedReason
from engagement.services.inbound import handle_inbound
from engagement.services.intents import OPTED_OUT
from engagement.services.messages import record_receipt
from engagement.services.received_mail import MailReport, ReceivedMail, read_mail
from engagement.services.senders import IGNORED, KEPT, receive_text
from engagement.services.unassigned import keep_message
from engagement.services.unsubscribe import member_of
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

PLATFORM = "email"
# Of a bounce or complaint.
REPORTED = "reported"


@service
def receive_mail(*, message: Message, at: datetime | None = None) -> str:
    """Handle an e-mail; return the effect: one of receive_text, or `reported`.

    A repeated one changes nothing. Nothing is sent to senders without an account, and no automatic message is answered
    or stored.
    """
    at = at or timezone.now()
    mail = read_mail(message)
    if mail.token and (member := member_of(mail.token)):
        # The token proves who asks, whatever address the program of the mailbox uses as the sender.
        return handle_inbound(
            actor=member, text="", platform=PLATFORM, message_id=mail.message_id, at=at, intent=OPTED_OUT
        ).effect
    if mail.reports:
        return REPORTED if sum(_record(each, at) for each in mail.reports) else IGNORED
    if not mail.sender or mail.sender in _own_addresses():
        return IGNORED
    if mail.is_rejected:
        return _keep_forged(mail, at)
    return receive_text(
        platform=PLATFORM,
        sender=mail.sender,
        text=mail.text,
        message_id=mail.message_id,
        at=at,
        auto_submitted=mail.is_automatic,
        name=mail.name,
        is_proven=_replies_to_ours(mail),
        keeps_strangers=not mail.is_spam,
    ).effect


def receive_or_keep(message: Message, *, reference: str, at: datetime | None = None) -> str:
    """Handle an e-mail as receive_mail does; one that cannot be read is stored for staff, so that the others are read.

    reference: what the provider or the mailbox calls the message.
    """
    try:
        return receive_mail(message=message, at=at)
    except (OperationalError, InterfaceError):
        # The database is unavailable: the message is read again.
        raise
    except Exception:
        logger.exception("The e-mail %s cannot be read.", reference)
        keep_message(platform=PLATFORM, message_id=reference[:255], sender="", reason=UnassignedReason.UNREADABLE)
        return KEPT


def _replies_to_ours(mail: ReceivedMail) -> bool:
    """Return whether it replies to a message to its sender: who knows the Message-ID can read what is sent there."""
    if not mail.references:
        return False
    sent = EngagementMessage.objects.filter(provider_message_id__in=mail.references)
    return sent.filter(user__email__iexact=mail.sender).exists()


def _keep_forged(mail: ReceivedMail, at: datetime) -> str:
    if mail.is_automatic or mail.is_spam:
        return IGNORED
    keep_message(
        platform=PLATFORM,
        message_id=mail.message_id,
        sender=mail.sender,
        name=mail.name,
        text=mail.text,
        reason=UnassignedReason.FORGED,
        at=at,
    )
    return KEPT


def _record(report: MailReport, at: datetime) -> bool:
    """Record a bounce or complaint; return False if it is about no message of the queue.

    The Message-ID cannot be guessed, so only who has received a message can report about it.
    """
    if report.report == AddressReport.COMPLAINT:
        status = ReceiptStatus.COMPLAINED
    else:
        status = ReceiptStatus.BOUNCED if report.report else ReceiptStatus.FAILED
    found = record_receipt(
        provider_message_id=report.message_id[:255],
        status=status,
        at=at,
        error=report.detail[:1000],
        is_permanent=report.report == AddressReport.HARD_BOUNCE,
        channel=Channel.EMAIL,
    )
    return found is not None


def _own_addresses() -> set[str]:
    return {parseaddr(each)[1].lower() for each in (settings.DEFAULT_FROM_EMAIL, settings.ENGAGEMENT_REPLY_TO)}
