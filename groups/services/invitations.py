"""Creating, changing, renewing, cancelling and expiring invitations."""

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from groups.errors import InvitationEnded, InviterNotActive, RecipientRejected, TooManyInvitations
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.models.invitations import ALPHABET, CODE_LENGTH, digest_of_code
from groups.rules import INVITATION_PERIOD, CommunityStatus, InvitationStatus, normalize_username
from groups.services.recipients import Recipient, check_recipient
from missionsite.common.audit.events import audit
from missionsite.common.errors import constraint_of, violated
from missionsite.common.transactions import service

# Attempts when another invitation has the same digest, which happens once in 2^79.
CODE_ATTEMPTS = 3


def new_code() -> str:
    """Return a random code: 16 characters out of 31, 79 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def address_to_send(invitation: CommunityInvitation) -> str:
    """Return the registration address of a just created invitation."""
    return f"{settings.SITE_URL}{reverse('portal:register', args=[invitation.spelled_code])}"


def daily_cap(actor: Member) -> int:
    """Return the limit of invitations per inviter in 24 hours, which depends on the actor."""
    many = actor.has_perm("groups.invite_many")
    return settings.INVITATIONS_PER_DAY_BY_STAFF if many else settings.INVITATIONS_PER_DAY


@service
def create_invitation(
    *,
    actor: Member,
    created_by: CommunityMember,
    telegram_username: str = "",
    email: str = "",
    name: str = "",
    lasts: timedelta | None = None,
    max_uses: int = 1,
) -> CommunityInvitation:
    """Invite one person, or with max_uses several people by one link. Only the returned object has the code.

    lasts: INVITATION_DAYS by default.
    Raises InviterNotActive, TooManyInvitations, RecipientRejected, and ConstraintViolated for a period that is not
    positive or a number of people out of range.
    """
    (made,) = create_invitations(
        created_by=created_by,
        recipients=[Recipient(name=name, email=email, telegram_username=telegram_username)],
        lasts=lasts,
        max_uses=max_uses,
        actor=actor,
    )
    return made


@service
def create_invitations(
    *,
    actor: Member,
    created_by: CommunityMember,
    telegram_usernames: Iterable[str] = (),
    recipients: Iterable[Recipient] = (),
    lasts: timedelta | None = None,
    max_uses: int = 1,
) -> list[CommunityInvitation]:
    """Create several invitations, all or none: one per user name and recipient, which may be empty.

    Only the returned objects have the codes; the database stores their digests.
    Raises InviterNotActive, TooManyInvitations, RecipientRejected.
    """
    people = [*(Recipient(telegram_username=name) for name in telegram_usernames), *recipients]
    # The inviter's row is locked, so two concurrent calls cannot both pass the limit.
    inviter = CommunityMember.objects.lock(created_by.pk, "person", no_key=True)
    if inviter.status != CommunityStatus.ACTIVE or inviter.is_removed:
        raise InviterNotActive
    cap = daily_cap(actor)
    # The current time, not that of the transaction, which may have waited for the lock.
    now = timezone.now()
    recent = inviter.invitations.filter(created_at__gt=now - INVITATION_PERIOD)
    made_today = recent.aggregate(people=Sum("max_uses", default=0))["people"]
    if made_today + len(people) * max(max_uses, 1) > cap:
        raise TooManyInvitations(cap=cap, left=max(cap - made_today, 0))
    expires_at = now + (timedelta(days=settings.INVITATION_DAYS) if lasts is None else lasts)
    made = [
        CommunityInvitation(
            invitation_id=uuid4(),
            created_by=inviter,
            **_recipient_fields(person),
            max_uses=max_uses,
            expires_at=expires_at,
            created_at=now,
        )
        for person in people
    ]
    _with_new_codes(made, CommunityInvitation.objects.bulk_create)
    audit("invitation.created", actor=actor, member=inviter.person, number=inviter.member_id, count=len(made))
    return made


@service
def renew_code(
    *, actor: Member, invitation: CommunityInvitation, lasts: timedelta | None = None
) -> CommunityInvitation:
    """Give a pending or expired invitation a new code and a new expiry; the old code stops working.

    lasts: INVITATION_DAYS from now by default. Only the returned object has the code.
    Raises InvitationEnded, InviterNotActive, and ConstraintViolated for a period that is not positive.
    """
    current = _lock_open(invitation)
    inviter = _active_inviter(current)
    current.status = InvitationStatus.PENDING
    current.expires_at = timezone.now() + (timedelta(days=settings.INVITATION_DAYS) if lasts is None else lasts)
    _with_new_codes([current], lambda _: current.save(update_fields=["invitation_code", "expires_at", "status"]))
    audit(
        "invitation.renewed", actor=actor, member=inviter.person, number=inviter.member_id, invitation=str(current.pk)
    )
    return current


@service
def change_invitation(
    *,
    actor: Member,
    invitation: CommunityInvitation,
    lasts: timedelta | None = None,
    recipient: Recipient | None = None,
    max_uses: int | None = None,
) -> CommunityInvitation:
    """Extend a pending or expired invitation, change its recipient, or the number of people. Its code stays.

    lasts: from now; an expired invitation becomes pending again. Raises InvitationEnded, InviterNotActive,
    RecipientRejected, TooManyInvitations, and ConstraintViolated for a period that is not positive or fewer people than
    have registered.
    """
    current = _lock_open(invitation)
    inviter = _active_inviter(current)
    before = {name: getattr(current, name) for name in _CHANGEABLE}
    if lasts is not None:
        current.expires_at, current.status = timezone.now() + lasts, InvitationStatus.PENDING
    if recipient is not None:
        for name, value in _recipient_fields(recipient).items():
            setattr(current, name, value)
    if max_uses is not None and max_uses != current.max_uses:
        more, cap = max_uses - current.max_uses, daily_cap(actor)
        if more > cap:
            raise TooManyInvitations(cap=cap, left=cap)
        if current.uses and max_uses <= current.uses:
            raise violated("community_invitations_uses_within_limit")
        current.max_uses = max_uses
    changed = [name for name in _CHANGEABLE if getattr(current, name) != before[name]]
    if not changed:
        return current
    current.save(update_fields=changed)
    audit(
        "invitation.changed",
        actor=actor,
        member=inviter.person,
        number=inviter.member_id,
        invitation=str(current.pk),
        # Events outlive personal data: names and addresses are not in them.
        changed=dict.fromkeys(changed, "changed"),
    )
    return current


_CHANGEABLE = ("expires_at", "status", "invited_name", "invited_email", "invited_telegram_username", "max_uses")


def _recipient_fields(person: Recipient) -> dict[str, str | None]:
    """Return the columns of a recipient. Raises RecipientRejected for an e-mail or Telegram name that cannot exist."""
    if person.email and (error := check_recipient(Recipient(email=person.email))):
        raise RecipientRejected(error)
    return {
        "invited_telegram_username": normalize_username(person.telegram_username) or None,
        "invited_email": person.email.strip() or None,
        "invited_name": person.name.strip() or None,
    }


def _lock_open(invitation: CommunityInvitation) -> CommunityInvitation:
    """Lock and return a pending or expired invitation. Raises InvitationEnded."""
    current = CommunityInvitation.objects.lock(invitation.pk)
    if not current.is_open:
        raise InvitationEnded(
            gettext("This invitation is “%(status)s”. Only a pending or expired invitation can be changed.")
            % {"status": current.get_status_display()}
        )
    return current


def _active_inviter(invitation: CommunityInvitation) -> CommunityMember:
    inviter = CommunityMember.objects.get(member_id=invitation.created_by_id)
    if inviter.status != CommunityStatus.ACTIVE or inviter.is_removed:
        raise InviterNotActive
    return inviter


def _with_new_codes(
    invitations: list[CommunityInvitation], write: Callable[[list[CommunityInvitation]], object]
) -> None:
    """Write invitations with a new code each; retry with other codes if a digest is taken."""
    for attempt in range(1, CODE_ATTEMPTS + 1):
        for each in invitations:
            each.code = code = new_code()
            each.invitation_code = digest_of_code(code) or ""
        try:
            with transaction.atomic():
                write(invitations)
        except IntegrityError as error:
            taken = constraint_of(error) == "invitation_code_idx"
            if not taken or attempt == CODE_ATTEMPTS:
                raise
        else:
            return


@service
def cancel_invitation(*, actor: Member, invitation: CommunityInvitation, reason: str = "") -> CommunityInvitation:
    """Cancel a pending invitation. Raises InvitationEnded."""
    current = CommunityInvitation.objects.lock(invitation.pk)
    if current.status != InvitationStatus.PENDING:
        raise InvitationEnded(
            gettext("This invitation is “%(status)s”. Only a pending invitation can be cancelled.")
            % {"status": current.get_status_display()}
        )
    current.status = InvitationStatus.CANCELLED
    current.save(update_fields=["status"])
    inviter = CommunityMember.objects.get(member_id=current.created_by_id)
    audit(
        "invitation.cancelled",
        actor=actor,
        member=inviter.person,
        number=inviter.member_id,
        invitation=str(current.pk),
        reason=reason,
    )
    return current


@service
def expire_invitations(*, actor: Member) -> int:
    """Mark overdue pending invitations as expired; returns how many. Their codes are rejected either way."""
    return CommunityInvitation.objects.filter(status=InvitationStatus.PENDING, expires_at__lte=Now()).update(
        status=InvitationStatus.EXPIRED
    )
