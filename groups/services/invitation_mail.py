"""Sending an invitation by e-mail."""

import logging
import smtplib

from django.core.mail import EmailMessage
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, override
from procrastinate.contrib.django import app

from groups.errors import MailNotSent, RecipientMissing
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.rules import InvitationStatus
from groups.services.invitations import address_to_send, change_invitation, renew_code
from groups.services.recipients import Recipient
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

TASK = "send_invitation"
logger = logging.getLogger(__name__)


def send_invitation(*, actor: Member, invitation: CommunityInvitation, email: str) -> CommunityInvitation:
    """Send the address of an invitation, whose object has the code, and note the recipient.

    Raises MailNotSent, RecipientRejected, InvitationEnded, InviterNotActive.
    """
    current = change_invitation(actor=actor, invitation=invitation, recipient=_with_email(invitation, email))
    current.code = invitation.code
    inviter = CommunityMember.objects.select_related("person").get(member_id=current.created_by_id)
    try:
        _mail(current, inviter.name).send()
    except (OSError, smtplib.SMTPException) as error:
        logger.exception("Invitation %s was not sent", current.pk)
        raise MailNotSent from error
    _record(actor=actor, invitation=current, inviter=inviter)
    return current


@service
def queue_invitation_mail(*, actor: Member, invitation: CommunityInvitation, email: str = "") -> None:
    """Queue a job that gives an invitation a new code and sends it. No row contains the code.

    email: a new address of the recipient. Raises RecipientMissing, InvitationEnded, InviterNotActive.
    """
    current = invitation
    if email:
        current = change_invitation(actor=actor, invitation=invitation, recipient=_with_email(invitation, email))
    if not current.invited_email:
        raise RecipientMissing
    app.configure_task(TASK, allow_unknown=False, lock=f"{TASK}:{current.pk}").defer(
        invitation_id=str(current.pk), actor_id=str(actor.pk)
    )


def send_with_new_code(*, actor: Member, invitation_id: str) -> str:
    """The job: renew the code and send it; returns the outcome. A repeated run sends another code.

    Raises MailNotSent, so that the job is repeated.
    """
    invitation = CommunityInvitation.objects.filter(pk=invitation_id).first()
    if invitation is None or not invitation.is_open or not invitation.invited_email:
        return "gone"
    renewed = renew_code(actor=actor, invitation=invitation)
    assert renewed.status == InvitationStatus.PENDING
    send_invitation(actor=actor, invitation=renewed, email=renewed.invited_email or "")
    return "sent"


def _with_email(invitation: CommunityInvitation, email: str) -> Recipient:
    return Recipient(
        name=invitation.invited_name or "",
        email=email,
        telegram_username=invitation.invited_telegram_username or "",
    )


@service
def _record(*, actor: Member, invitation: CommunityInvitation, inviter: CommunityMember) -> None:
    audit(
        "invitation.sent",
        actor=actor,
        member=inviter.person,
        number=inviter.member_id,
        invitation=str(invitation.pk),
    )


def _mail(invitation: CommunityInvitation, inviter: str) -> EmailMessage:
    """Return the mail. Names are on one line, so they cannot add headers."""
    # In English, also if a Portuguese-speaking manager sends it: the language of the recipient is not known.
    with override("en"):
        greeting = (
            gettext("Hello %(name)s,") % {"name": invitation.invited_name}
            if invitation.invited_name
            else gettext("Hello,")
        )
        text = gettext(
            "%(greeting)s\n\n%(inviter)s invites you to join the community. Register here:\n\n%(address)s\n\n"
            "The address works until %(expires)s. If you do not know %(inviter)s, ignore this e-mail."
        ) % {
            "greeting": greeting,
            "inviter": inviter,
            "address": address_to_send(invitation),
            "expires": date_format(localtime(invitation.expires_at), "j F Y, H:i T"),
        }
        subject = gettext("%(inviter)s invites you") % {"inviter": inviter}
    return EmailMessage(
        subject=subject,
        body=text,
        to=[invitation.invited_email or ""],
        headers={"Auto-Submitted": "auto-generated"},
    )
