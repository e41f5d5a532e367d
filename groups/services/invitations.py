"""Inviting people into the directory."""

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from groups.errors import InvitationEnded, InviterNotActive, TooManyInvitations
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.models.directory import CommunityStatus
from groups.models.invitations import ALPHABET, CODE_LENGTH, InvitationStatus, digest_of_code
from groups.services.events import record
from missionsite.common.transactions import service

A_DAY = timedelta(hours=24)
# How often new codes are tried when another invitation has the digest of one: 1 in 2^79 does.
CODE_ATTEMPTS = 3


def new_code() -> str:
    """A code no one guesses: 16 characters out of 31, 79 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def address_to_send(invitation: CommunityInvitation) -> str:
    """The address at which one registers with the code of an invitation that was made just now."""
    return f"{settings.SITE_URL}{reverse('portal:register', args=[invitation.spelled_code])}"


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
    """Invite one person. lasts: INVITATION_DAYS when left out. The code is on the returned object and nowhere else.

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
    """Invite many at once, all or none: one invitation a user name, which may be empty.

    The codes are on the returned objects and nowhere else: the database has their digests.

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
    made = [
        CommunityInvitation(
            invitation_id=uuid4(),
            created_by=inviter,
            invited_telegram_username=name,
            expires_at=expires_at,
            created_at=now,
        )
        for name in names
    ]
    _with_new_codes(made, CommunityInvitation.objects.bulk_create)
    record("invitation.created", actor=actor, member=inviter.person, number=inviter.member_id, count=len(made))
    return made


@service
def renew_code(
    *, invitation: CommunityInvitation, lasts: timedelta | None = None, actor: Member | None = None
) -> CommunityInvitation:
    """Give a pending invitation another code and a new time to use it; the code before it stops working.

    lasts: INVITATION_DAYS from now when left out. The code is on the returned object and nowhere else.
    Raises InvitationEnded, InviterNotActive, InvitationExpiresBefore.
    """
    current = CommunityInvitation.objects.select_for_update().get(pk=invitation.pk)
    if current.status != InvitationStatus.PENDING:
        raise InvitationEnded(
            f"This invitation is {current.get_status_display().lower()} already."
            " Only a pending invitation can get a new code."
        )
    inviter = CommunityMember.objects.get(member_id=current.created_by_id)
    if inviter.status != CommunityStatus.ACTIVE or inviter.is_removed:
        raise InviterNotActive
    current.expires_at = timezone.now() + (timedelta(days=settings.INVITATION_DAYS) if lasts is None else lasts)
    _with_new_codes([current], lambda _: current.save(update_fields=["invitation_code", "expires_at"]))
    record(
        "invitation.renewed", actor=actor, member=inviter.person, number=inviter.member_id, invitation=str(current.pk)
    )
    return current


def _with_new_codes(invitations: list[CommunityInvitation], write: Callable) -> None:
    """Write invitations with a new code each; where the digest of one is taken, with other codes."""
    for attempt in range(1, CODE_ATTEMPTS + 1):
        for each in invitations:
            each.code = new_code()
            each.invitation_code = digest_of_code(each.code)
        try:
            with transaction.atomic():
                write(invitations)
        except IntegrityError as error:
            taken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == "invitation_code_idx"
            if not taken or attempt == CODE_ATTEMPTS:
                raise
        else:
            return


@service
def cancel_invitation(
    *, invitation: CommunityInvitation, actor: Member | None = None, reason: str = ""
) -> CommunityInvitation:
    """Make a code worthless. Raises InvitationEnded."""
    current = CommunityInvitation.objects.select_for_update().get(pk=invitation.pk)
    if current.status != InvitationStatus.PENDING:
        raise InvitationEnded(
            f"This invitation is {current.get_status_display().lower()} already."
            " Only a pending invitation can be cancelled."
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
    """Mark pending invitations whose time is over; returns how many. A code past its time is rejected either way."""
    return CommunityInvitation.objects.filter(status=InvitationStatus.PENDING, expires_at__lte=Now()).update(
        status=InvitationStatus.EXPIRED
    )
