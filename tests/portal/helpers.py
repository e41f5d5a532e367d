"""Test data of the members' website: entries, invitations, codes and form data."""

import re
from datetime import timedelta
from itertools import count

from django.utils import timezone

from groups.models import CommunityInvitation, CommunityMember, Member
from groups.rules import InvitationStatus
from groups.services.invitations import cancel_invitation, create_invitation
from groups.services.registration import accept_invitation
from tests.support.factories.groups import MemberFactory

PASSWORD = "tr0ub4dor&3-xyz"
_turn = count(1)


def entry(**fields) -> CommunityMember:
    """A directory entry, by default active and with an account."""
    turn = next(_turn)
    name = fields.setdefault("name", f"Member {turn}")
    values = {"primary_role": "developer", "status": "active", "telegram_id": f"77{turn:08}"} | fields
    if "person" not in values:
        values["person"] = MemberFactory(display_name=name)
    made = CommunityMember.objects.create(**values)
    made.refresh_from_db()
    return made


def typed(**changes) -> dict:
    """Valid data of the registration form."""
    turn = next(_turn)
    return {
        "name": "Ana Souza",
        "email": f"ana{turn}@example.org",
        "password": PASSWORD,
        "telegram_id": f"55{turn:07}",
        "telegram_username": "@ana_souza",
        "primary_role": "designer",
        "organization": "Casa Aberta",
        "country": "Brasil",
        "github_username": "ana-souza",
    } | changes


def invitation(by: CommunityMember | None = None, **options) -> CommunityInvitation:
    inviter = by or entry()
    return create_invitation(actor=inviter.person, created_by=inviter, **options)


def bad_codes() -> dict[str, str]:
    """An invalid code of every kind."""
    inviter = entry()
    used, expired, late, cancelled = (invitation(inviter) for _ in range(4))
    accept_invitation(code=used.code, **typed())
    day_ago = timezone.now() - timedelta(days=1)
    rows = CommunityInvitation.objects.filter(pk__in=(expired.pk, late.pk))
    rows.update(created_at=day_ago - timedelta(days=3), expires_at=day_ago)
    CommunityInvitation.objects.filter(pk=expired.pk).update(status=InvitationStatus.EXPIRED)
    cancel_invitation(actor=Member.objects.system(), invitation=cancelled)
    return {
        "unknown": "ABCDEFGH23456789",
        "used": used.code,
        "expired": expired.code,
        "past its time": late.code,
        "cancelled": cancelled.code,
        "too short": "ABC",
        "too long": "A" * 3000,
        "with letters no code has": "0O1IL0O1IL0O1IL0",
        "with strange characters": "é ' OR 1=1 --\n\x07🦉<b>",
        "with slashes": "../../admin//x/..",
    }


def seen(answer) -> tuple[int, str]:
    """Status and page of a response without the CSRF token, which is different each time."""
    return answer.status_code, re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", answer.content.decode())
