"""Links to set a password, for people who have an account without one, such as imported people."""

import smtplib

from procrastinate.contrib.django import app

from groups.errors import MailNotSent, PasswordLinkRejected
from groups.models import Member
from groups.services.account_mail import password_mail
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

TASK = "send_password_link"


@service
def queue_password_link(*, actor: Member, member: Member, language: str = "en") -> None:
    """Queue a job that sends a member a link to set a password. No row contains the link.

    A link works until it is used, replaced by another password, or expired; so it may be sent again.
    Raises PasswordLinkRejected for a deactivated account and for the system member.
    """
    current = Member.objects.lock(member.pk, no_key=True)
    if not current.is_active or current.is_system:
        raise PasswordLinkRejected
    app.configure_task(TASK, allow_unknown=False, lock=f"{TASK}:{current.pk}").defer(
        member_id=str(current.pk), language=language
    )
    _record_link(actor=actor, member=current)


def send_password_link(*, member_id: str, language: str) -> str:
    """The job: send the link; returns the outcome. Raises MailNotSent, so that the job is repeated."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return "gone"
    _send(member, language)
    return "sent"


def mail_password_link(*, actor: Member, member: Member, language: str = "en") -> None:
    """Send a link at once, in a job on many people. Raises MailNotSent."""
    _send(member, language)
    _record_link(actor=actor, member=member)


def _send(member: Member, language: str) -> None:
    try:
        password_mail(member, language).send()
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent from error


@service
def _record_link(*, actor: Member, member: Member) -> None:
    audit("member.password_link_sent", actor=actor, member=member)
