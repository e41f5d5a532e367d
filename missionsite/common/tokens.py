"""Services for API tokens: create, revoke, authenticate."""

import hashlib
import hmac
import logging
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from missionsite.common.audit.events import audit
from missionsite.common.constraints import ONE_LINE_ERROR, is_one_line
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.models import MAX_TOKEN_LIFETIME, ApiToken, TokenKind
from missionsite.common.scopes import all_scopes
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

# The last use of a token is written at most this often.
LAST_USE_PRECISION = timedelta(minutes=1)

_PREFIX = "ms_"
_ALPHABET = string.digits + string.ascii_letters
_SECRET_LENGTH = 43  # base62 of 256 bits
_CHECK_LENGTH = 6  # base62 of the 32 bits of a CRC


class TokenRejected(DomainError):
    message = _("This API token is unknown, expired or revoked.")
    code = "token_rejected"
    status = 401


class TokenValueRejected(DomainError):
    message = _("These values are not valid for an API token.")
    code = "token_value_rejected"
    status = 422


class TokenCannotChange(DomainError):
    message = _("An API token cannot be changed, only revoked.")
    code = "token_cannot_change"
    constraint = "api_tokens_only_revoked"


def _base62(number: int, length: int) -> str:
    digits = ""
    for _position in range(length):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode("ascii")), _CHECK_LENGTH)


def _new_plaintext() -> str:
    """A new token: `ms_`, 256 random bits, and a checksum by which scanners recognise a leaked token."""
    secret = _base62(int.from_bytes(secrets.token_bytes(32)), _SECRET_LENGTH)
    return f"{_PREFIX}{secret}{_checksum(secret)}"


def has_token_form(text: str) -> bool:
    """Whether a text has the format of a token; the token may still be unknown."""
    secret, check = text[len(_PREFIX) : -_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    return (
        text.startswith(_PREFIX)
        and len(secret) == _SECRET_LENGTH
        and text.isascii()
        and text[len(_PREFIX) :].isalnum()
        and hmac.compare_digest(_checksum(secret), check)
    )


def digest_of(plaintext: str) -> str:
    """The stored digest of a token.

    SHA-256 is sufficient: 256 random bits cannot be guessed, so a slow hash would not make it safer.
    """
    return hashlib.sha256(plaintext.encode()).hexdigest()


@service
def create_token(
    *,
    actor: Any,
    owner: Any,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    kind: TokenKind = TokenKind.PROGRAM,
    now: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token. Returns it with its plaintext, which is not stored anywhere.

    expires_at: aware datetime, at most 366 days ahead. kind: who acts with it.
    Raises TokenValueRejected with the field, NotAllowed for an inactive owner.
    """
    now = now or timezone.now()
    name, scopes = name.strip(), sorted(set(scopes))
    if not owner.is_active:
        raise NotAllowed(_("An inactive member cannot get an API token."))
    if not name or len(name) > 100 or "\x00" in name:
        raise TokenValueRejected(_("Enter a name of at most 100 characters."), field="name")
    if not is_one_line(name):
        raise TokenValueRejected(ONE_LINE_ERROR, field="name")
    if not scopes:
        raise TokenValueRejected(_("Select at least one scope."), field="scopes")
    if unknown := [scope for scope in scopes if scope not in all_scopes()]:
        raise TokenValueRejected(_("Unknown scope: {names}.").format(names=", ".join(unknown)), field="scopes")
    if not now < expires_at <= now + MAX_TOKEN_LIFETIME:
        raise TokenValueRejected(
            _("The expiry must be in the future, at most {days} days ahead.").format(days=MAX_TOKEN_LIFETIME.days),
            field="expires_at",
        )
    plaintext = _new_plaintext()
    token = ApiToken.objects.create(
        owner=owner,
        created_by=actor,
        name=name,
        prefix=plaintext[: len(_PREFIX) + 6],
        digest=digest_of(plaintext),
        scopes=scopes,
        kind=kind,
        expires_at=expires_at,
    )
    audit("token.created", actor=actor, member=owner, token=str(token.pk), name=name, scopes=scopes)
    return token, plaintext


@service
def revoke_token(*, actor: Model, token: ApiToken, now: datetime | None = None) -> ApiToken:
    """Revoke a token immediately. Revoking it again changes nothing."""
    locked = ApiToken.objects.lock(token.pk, "owner")
    if locked.revoked_at is None:
        # Not before its creation, in case this clock is behind the database's.
        locked.revoked_at = max(now or timezone.now(), locked.created_at)
        locked.save(update_fields=["revoked_at"])
        audit("token.revoked", actor=actor, member=locked.owner, token=str(locked.pk), name=locked.name)
    return locked


def authenticate(plaintext: str, *, now: datetime | None = None) -> tuple:
    """The owner and the token for a plaintext.

    Raises TokenRejected, with the same message for every reason; the reason is logged.
    """
    now = now or timezone.now()
    if not has_token_form(plaintext):
        raise _rejected("does not have the format of a token", None)
    digest = digest_of(plaintext)
    # Looked up by digest, so the time of the index look-up reveals nothing about the token.
    token = ApiToken.objects.select_related("owner").filter(digest=digest).first()
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise _rejected("is unknown", None)
    if token.revoked_at is not None:
        raise _rejected("is revoked", token)
    if token.expires_at <= now:
        raise _rejected("has expired", token)
    if not token.owner.is_active:
        raise _rejected("belongs to an inactive member", token)
    _record_use(token, now)
    return token.owner, token


def _rejected(reason: str, token: ApiToken | None) -> TokenRejected:
    logger.warning("API token %s rejected: it %s", token.pk if token else "-", reason)
    return TokenRejected()


def _record_use(token: ApiToken, now: datetime) -> None:
    """Update the last use if it is more than a minute old. Concurrent requests do not wait for each other."""
    if token.last_used_at is not None and token.last_used_at > now - LAST_USE_PRECISION:
        return
    due = ApiToken.objects.filter(pk=token.pk).exclude(last_used_at__gt=now - LAST_USE_PRECISION)
    with transaction.atomic():
        ApiToken.objects.filter(pk__in=due.select_for_update(skip_locked=True).values("pk")).update(last_used_at=now)
