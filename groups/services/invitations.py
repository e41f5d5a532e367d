"""Inviting people into the directory."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from groups.errors import InvitationEnded, InviterNotActive, TooManyInvitations
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.models.directory import CommunityStatus
from groups.models.invitations import ALPHABET, CODE_LENGTH, InvitationStatus
from groups.services.events import record
from missionsite.common.transactions import service

A_DAY = timedelta(hours=24)


def new_code() -> str:
    """A code nobody guesses: 16 characters out of 31, 79 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def daily_cap(actor: Member | None) -> int:
    """How many invitations may be made in 24 hours in one member's name, by who makes them."""
    many = actor is not None and actor.has_perm("groups.invite_many")
    return settings.INVITATIONS_PER_DAY_BY_STAFF if many else settings.INVITATIONS_PER_DAY


@service
def create_invitation(
    *,
    created_by: CommunityMember,
    telegram_username: str = "",
    lasts: timedelta | None = None,
    actor: Member | None = None,
) -> CommunityInvitation:
    """Invite one person. lasts: INVITATION_DAYS when left out.

    Raises InviterNotActive, TooManyInvitations, InvitationExpiresBefore.
    """
    (made,) = create_invitations(
        created_by=created_by, telegram_usernames=[telegram_username], lasts=lasts, actor=actor
    )
    return made


@service
def create_invitations(
    *,
    created_by: CommunityMember,
    telegram_usernames: Iterable[str],
    lasts: timedelta | None = None,
    actor: Member | None = None,
) -> list[CommunityInvitation]:
    """Invite many at once, all or nobody: one invitation a user name, which may be empty.

    actor: the account that does it; the inviter's own when left out. Raises InviterNotActive, TooManyInvitations.
    """
    names = [name.strip().removeprefix("@") or None for name in telegram_usernames]
    # The inviter's row is held to the end, so two at once cannot both see room under the cap.
    inviter = CommunityMember.objects.select_for_update(no_key=True).get(pk=created_by.pk)
    if inviter.status != CommunityStatus.ACTIVE or inviter.is_removed:
        raise InviterNotActive
    actor = actor or inviter.person
    cap = daily_cap(actor)
    # The clock of this moment, not of the transaction: it may have waited for the lock.
    now = timezone.now()
    made_today = inviter.invitations.filter(created_at__gt=now - A_DAY).count()
    if made_today + len(names) > cap:
        raise TooManyInvitations(cap=cap, left=max(cap - made_today, 0))
    expires_at = now + (timedelta(days=settings.INVITATION_DAYS) if lasts is None else lasts)
    made = CommunityInvitation.objects.bulk_create(
        CommunityInvitation(
            invitation_id=uuid4(),
            invitation_code=new_code(),
            created_by=inviter,
            invited_telegram_username=name,
            expires_at=expires_at,
            created_at=now,
        )
        for name in names
    )
    record("invitation.created", actor=actor, member=inviter.person, number=inviter.member_id, count=len(made))
    return made


@service
def cancel_invitation(
    *, invitation: CommunityInvitation, actor: Member | None = None, reason: str = ""
) -> CommunityInvitation:
    """Make a code worthless. Raises InvitationEnded."""
    current = CommunityInvitation.objects.select_for_update().get(pk=invitation.pk)
    if current.status != InvitationStatus.PENDING:
        raise InvitationEnded(
            f"This invitation is {current.get_status_display().lower()} already; only a pending one can be cancelled."
        )
    current.status = InvitationStatus.CANCELLED
    current.save(update_fields=["status"])
    inviter = CommunityMember.objects.get(member_id=current.created_by_id)
    record(
        "invitation.cancelled",
        actor=actor,
        member=inviter.person,
        number=inviter.member_id,
        invitation=str(current.pk),
        reason=reason,
    )
    return current


@service
def expire_invitations() -> int:
    """Mark pending invitations whose time is over; returns how many. A code past its time is refused either way."""
    return CommunityInvitation.objects.filter(status=InvitationStatus.PENDING, expires_at__lte=Now()).update(
        status=InvitationStatus.EXPIRED
    )
