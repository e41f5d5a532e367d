"""Services for API tokens: make one, revoke one, find out whose one is."""

import hashlib
import hmac
import logging
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from missionsite.common.constraints import ONE_LINE_ERROR, is_one_line
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.models import ApiToken
from missionsite.common.scopes import all_scopes
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

LONGEST_LIFE = timedelta(days=366)
# A token's last use is written at most this often.
USE_WRITTEN_EVERY = timedelta(minutes=1)

_MARK = "ms_"
_ALPHABET = string.digits + string.ascii_letters
_SECRET_LENGTH = 43  # base62 of 256 bits
_CHECK_LENGTH = 6  # base62 of the 32 bits of a CRC


class TokenRejected(DomainError):
    """This token is unknown, expired or revoked."""

    code = "token_rejected"
    status = 401


class TokenValueRejected(DomainError):
    """A token cannot be made like this."""

    code = "token_value_rejected"
    status = 422


class TokenCannotChange(DomainError):
    """A token cannot be changed, only revoked."""

    code = "token_cannot_change"
    constraint = "api_tokens_only_revoked"


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode("ascii")), _CHECK_LENGTH)


def _new_plaintext() -> str:
    """`ms_`, 256 random bits, and a checksum by which a scanner knows a leaked token from noise."""
    secret = _base62(int.from_bytes(secrets.token_bytes(32)), _SECRET_LENGTH)
    return f"{_MARK}{secret}{_checksum(secret)}"


def has_token_form(text: str) -> bool:
    """Whether a text can be a token at all; says nothing of whether it is one."""
    secret, check = text[len(_MARK) : -_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    return (
        text.startswith(_MARK)
        and len(secret) == _SECRET_LENGTH
        and text.isascii()
        and text[len(_MARK) :].isalnum()
        and hmac.compare_digest(_checksum(secret), check)
    )


def digest_of(plaintext: str) -> str:
    """What is stored of a token.

    Plain SHA-256 is enough: 256 random bits cannot be guessed, so a slow hash would buy nothing.
    """
    return hashlib.sha256(plaintext.encode()).hexdigest()


@service
def create_token(
    *, owner, name: str, scopes: Iterable[str], expires_at: datetime, created_by=None, now: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token and return it with its plaintext, which is nowhere else and cannot be had again.

    expires_at: aware datetime, at most 366 days ahead. created_by: who makes it; the owner when left out.
    Raises TokenValueRejected with the field, NotAllowed for an owner who is not active.
    """
    now = now or timezone.now()
    name, scopes = name.strip(), sorted(set(scopes))
    if not owner.is_active:
        raise NotAllowed("A member who is not active gets no token.")
    if not name or len(name) > 100 or "\x00" in name:
        raise TokenValueRejected("A token has a name of at most 100 characters.", field="name")
    if not is_one_line(name):
        raise TokenValueRejected(ONE_LINE_ERROR, field="name")
    if not scopes:
        raise TokenValueRejected("Choose at least one thing the token may be used for.", field="scopes")
    if unknown := [scope for scope in scopes if scope not in all_scopes()]:
        raise TokenValueRejected(f"There is no scope {', '.join(unknown)}.", field="scopes")
    if not now < expires_at <= now + LONGEST_LIFE:
        raise TokenValueRejected(
            f"A token expires in the future, at most {LONGEST_LIFE.days} days ahead.", field="expires_at"
        )
    plaintext = _new_plaintext()
    token = ApiToken.objects.create(
        owner=owner,
        created_by=created_by or owner,
        name=name,
        prefix=plaintext[: len(_MARK) + 6],
        digest=digest_of(plaintext),
        scopes=scopes,
        expires_at=expires_at,
    )
    logger.info("API token %s made for %s by %s: %s", token.pk, owner.pk, token.created_by_id, " ".join(scopes))
    return token, plaintext


@service
def revoke_token(*, token: ApiToken, actor=None, now: datetime | None = None) -> ApiToken:
    """End a token at once; revoking it again changes nothing."""
    locked = ApiToken.objects.select_for_update().get(pk=token.pk)
    if locked.revoked_at is None:
        # Not before its creation, were this clock behind the database's.
        locked.revoked_at = max(now or timezone.now(), locked.created_at)
        locked.save(update_fields=["revoked_at"])
        logger.info("API token %s revoked by %s", token.pk, getattr(actor, "pk", None))
    return locked


def authenticate(plaintext: str, *, now: datetime | None = None) -> tuple:
    """The member and the token behind a plaintext.

    Raises TokenRejected with one and the same sentence whatever the reason; the log has the true one.
    """
    now = now or timezone.now()
    if not has_token_form(plaintext):
        raise _rejected("has not the form of a token", None)
    digest = digest_of(plaintext)
    # Looked up by digest: what the time of an index look-up could tell is about a hash, not about the token.
    token = ApiToken.objects.select_related("owner").filter(digest=digest).first()
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise _rejected("is unknown", None)
    if token.revoked_at is not None:
        raise _rejected("is revoked", token)
    if token.expires_at <= now:
        raise _rejected("has expired", token)
    if not token.owner.is_active:
        raise _rejected("belongs to a member who is not active", token)
    _note_use(token, now)
    return token.owner, token


def _rejected(reason: str, token: ApiToken | None) -> TokenRejected:
    logger.warning("API token %s rejected: it %s", token.pk if token else "-", reason)
    return TokenRejected()


def _note_use(token: ApiToken, now: datetime) -> None:
    """Write the last use where the one on record is a minute old; requests at the same instant do not wait."""
    if token.last_used_at is not None and token.last_used_at > now - USE_WRITTEN_EVERY:
        return
    due = ApiToken.objects.filter(pk=token.pk).exclude(last_used_at__gt=now - USE_WRITTEN_EVERY)
    with transaction.atomic():
        ApiToken.objects.filter(pk__in=due.select_for_update(skip_locked=True).values("pk")).update(last_used_at=now)
