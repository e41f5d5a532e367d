"""Unsubscribe links of unsolicited messages: one per member, valid without a time limit."""

from functools import cache, lru_cache
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from groups.models import Member

_SALT = "engagement.unsubscribe"


def unsubscribe_url(member_id: UUID) -> str:
    """Return the URL where one POST opts the member out (RFC 8058)."""
    token = _signer(settings.SECRET_KEY).sign_object(str(member_id))
    before, after = _link_parts()
    return f"{settings.SITE_URL}{before}{token}{after}"


@lru_cache(maxsize=1)
def _signer(secret: str) -> signing.TimestampSigner:
    """Cache the signer, which signing.dumps would create for each link."""
    return signing.TimestampSigner(key=secret, salt=_SALT)


@cache
def _link_parts() -> tuple[str, str]:
    """Cache the parts of the URL before and after the token: reversing it takes as long as signing."""
    before, after = reverse("unsubscribe", args=["TOKEN"]).split("TOKEN")
    return before, after


def member_of(token: str) -> Member | None:
    """Return the member of a link; None for an invalid token."""
    try:
        return Member.objects.filter(pk=UUID(signing.loads(token, salt=_SALT))).first()
    except (signing.BadSignature, ValueError, TypeError):
        return None
