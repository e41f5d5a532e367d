"""Registering with an invitation code."""

import logging

from django.conf import settings
from django.utils.timezone import now

from groups.errors import CodeRejected
from groups.models import CommunityInvitation, CommunityInvitationUse, CommunityMember, Member, MemberRelationship
from groups.models.invitations import digest_of_code, plain_code
from groups.models.relationships import RelationshipType
from groups.rules import NO_TELEGRAM, CommunityStatus, InvitationStatus, no_telegram_id, normalize_username
from groups.services.directory import checked_phone
from groups.signals import member_registered
from missionsite.common.accounts.addresses import add_unconfirmed_address
from missionsite.common.audit.context import describe_changeset
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service

__all__ = ["accept_invitation", "find_invitation", "plain_code"]
logger = logging.getLogger(__name__)


def find_invitation(code: str, *, lock: bool = False) -> CommunityInvitation:
    """Return the pending invitation of a code. lock: lock its row.

    Raises CodeRejected, the same for an unknown, used, expired and cancelled code, and for one whose inviter is no
    longer active; the log has the real reason.
    """
    # Every code takes one query, also an invalid one, so that the response time reveals nothing.
    rows = CommunityInvitation.objects.select_related("created_by")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(invitation_code=digest_of_code(code) or "").first()
    if found is None:
        logger.info("Invitation rejected: no such code")
        raise CodeRejected
    if found.status != InvitationStatus.PENDING:
        logger.info("Invitation %s rejected: %s", found.pk, found.status)
        raise CodeRejected
    if found.expires_at <= now():
        logger.info("Invitation %s rejected: past its expiry", found.pk)
        raise CodeRejected
    if found.created_by.is_removed or found.created_by.status != CommunityStatus.ACTIVE:
        logger.info("Invitation %s rejected: the inviter is not an active member", found.pk)
        raise CodeRejected
    return found


@service
def accept_invitation(
    *,
    code: str,
    email: str,
    password: str | None = None,
    password_hash: str = "",
    name: str,
    primary_role: str,
    telegram_id: str = "",
    telegram_username: str = "",
    organization: str = "",
    country: str = "",
    phone: str = "",
    github_username: str = "",
    locale: str = "",
    timezone: str = "",
) -> CommunityMember:
    """Register a person: create the account, a pending entry and the relationship to the inviter, and use up the code.

    password: None if another system registers the person, who sets one later. password_hash: the hash of an already
    validated password. telegram_id: may be empty if REGISTRATION_NEEDS_TELEGRAM is off. phone: a number without prefix
    is one of the country. locale, timezone: for receivers of the signal, which may reject them. The code works once, or
    max_uses times, also for concurrent registrations.
    Raises CodeRejected, and the errors of the constraints.
    """
    invitation = find_invitation(code, lock=True)
    if not name.strip():
        # The account, which is created first, has this rule under another name.
        raise violated("community_members_name_not_empty")
    telegram_id = checked_telegram_id(telegram_id)
    person = Member.objects.create_user(email, password, password_hash=password_hash, display_name=name.strip())
    describe_changeset(user=str(person.pk))
    add_unconfirmed_address(person)
    entry = CommunityMember.objects.create(
        person=person,
        name=name.strip(),
        primary_role=primary_role,
        telegram_id=telegram_id or no_telegram_id(person.member_id),
        telegram_username=normalize_username(telegram_username) or None,
        organization=organization.strip() or None,
        country=country.strip() or None,
        phone=checked_phone(phone, country),
        github_username=normalize_username(github_username) or None,
        status=CommunityStatus.PENDING,
        invited_by_id=invitation.created_by_id,
    )
    entry.refresh_from_db()
    use_invitation(invitation, entry)
    MemberRelationship.objects.create(
        entity_id_a=invitation.created_by_id,
        entity_id_b=entry.member_id,
        relationship_type=RelationshipType.INVITED,
        content={"invitation": str(invitation.pk)},
    )
    audit("member.created", actor=person, member=person, stable_id=person.member_id)
    audit(
        "invitation.accepted",
        actor=person,
        member=person,
        number=entry.member_id,
        invitation=str(invitation.pk),
        invited_by=invitation.created_by_id,
    )
    member_registered.send(sender=CommunityMember, entry=entry, locale=locale, timezone=timezone)
    return entry


def checked_telegram_id(entered: str) -> str:
    """Return an entered Telegram ID. Raises ConstraintViolated for none where one is needed."""
    entered = entered.strip()
    if not entered and settings.REGISTRATION_NEEDS_TELEGRAM:
        raise violated("community_members_telegram_id_not_empty")
    if entered.startswith(NO_TELEGRAM):
        raise violated("community_members_no_telegram_format")
    return entered


def use_invitation(invitation: CommunityInvitation, entry: CommunityMember) -> None:
    """Note who registered with a locked invitation, and end it after the last use."""
    if invitation.max_uses == 1:
        # A trigger adds the use.
        invitation.status, invitation.accepted_by, invitation.accepted_at = InvitationStatus.ACCEPTED, entry, now()
        invitation.save(update_fields=["status", "accepted_by", "accepted_at"])
        return
    CommunityInvitationUse.objects.create(invitation=invitation, member=entry)
    if invitation.uses + 1 == invitation.max_uses:
        invitation.status, invitation.accepted_at = InvitationStatus.ACCEPTED, now()
        invitation.save(update_fields=["status", "accepted_at"])
