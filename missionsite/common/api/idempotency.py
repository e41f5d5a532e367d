"""Idempotent requests: the Idempotency-Key header of every writing operation.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import hmac
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from missionsite.common.api.problems import InputRejected
from missionsite.common.errors import DomainError
from missionsite.common.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
# Minimum time for which a response is kept.
KEEP_FOR = timedelta(hours=24)
LONGEST_KEY = 255

_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")

# The header in the OpenAPI schema.
HEADER_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Makes it safe to retry this request. Send a unique key, for example a UUID, and a new one for each intended"
        f" change. Within {KEEP_FOR.total_seconds() / 3600:.0f} hours the same request with the same key changes"
        f" nothing and returns the first response with `{REPLAYED_HEADER}: true`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    "example": "6f8b2c1e-0d3a-4f57-9f0e-2a7f4f1f3c55",
}


class IdempotencyKeyReused(DomainError):
    message = _("This Idempotency-Key was used for another request. Use a new key for each intended change.")
    code = "idempotency_key_reused"
    status = 422


class IdempotencyInFlight(DomainError):
    message = _("The first request with this Idempotency-Key is still running. Try again in a moment.")
    code = "idempotency_in_flight"
    # Only reached if the lock was bypassed.
    constraint = "api_idempotency_keys_unique"


@dataclass(frozen=True)
class Attempt:
    """A request with an idempotency key.

    fingerprint: digest of method, address with query, and body; a differently formatted body is another request.
    waits: whether it waits for a running request with the same key instead of being rejected.
    """

    owner_id: UUID
    operation: str
    key: str
    fingerprint: str
    waits: bool = False

    @classmethod
    def of(cls, request: HttpRequest, *, owner_id: UUID, operation: str, has_files: bool = False) -> "Attempt | None":
        """The attempt of a request; None without a key. Raises InputRejected for an invalid key.

        has_files: the body may contain files, which are digested in parts and never loaded into memory as a whole.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            detail = _("A key is 1 to {longest_key} visible ASCII characters.").format(longest_key=LONGEST_KEY)
            raise InputRejected([{"pointer": f"header/{HEADER}", "detail": detail}])
        if has_files:
            return cls(owner_id, operation, key, digest_of_form(request))
        return cls(owner_id, operation, key, hashlib.sha256(_request_line(request) + request.body).hexdigest())

    def earlier_response(self) -> HttpResponse | None:
        """The stored response of an earlier request with this key; None if this is the first one.

        Raises IdempotencyKeyReused, and IdempotencyInFlight while another transaction runs the same request.
        """
        if response := self.stored_response():
            return response
        if not self._lock():
            raise IdempotencyInFlight
        # The other transaction may have ended between the query and the lock.
        return self.stored_response()

    def store(self, response: HttpResponse) -> None:
        """Store the response in the current transaction."""
        IdempotencyKey.objects.create(
            owner_id=self.owner_id,
            operation=self.operation,
            key=self.key,
            fingerprint=self.fingerprint,
            status=response.status_code,
            headers=dict(response.items()),
            body=response.content.decode(),
        )

    def stored_response(self) -> HttpResponse | None:
        """The response stored for this key, if any. Raises IdempotencyKeyReused."""
        row = IdempotencyKey.objects.filter(owner_id=self.owner_id, operation=self.operation, key=self.key).first()
        if row is None:
            return None
        if row.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        return HttpResponse(row.body, status=row.status, headers={**row.headers, REPLAYED_HEADER: "true"})

    def _lock(self) -> bool:
        """Lock this key until the end of the transaction. Returns False if it is locked by another."""
        name = f"idempotency {self.owner_id} {self.operation} {self.key}"
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            if self.waits:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
                return True
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            return cursor.fetchone()[0]


def reject_key(request: HttpRequest, reason: str) -> None:
    """Raise InputRejected if the request has a key. reason: why the operation does not accept one."""
    if HEADER in request.headers:
        raise InputRejected([{"pointer": f"header/{HEADER}", "detail": reason}])


def digest_of_form(request: HttpRequest, *, without: Container[str] = ()) -> str:
    """HMAC-SHA-256 of method, address with query, and form data, in hexadecimal.

    Keyed with the site's secret key, so that a password in a form cannot be guessed from a copy of the database. The
    parts are digested, not the body, because the multipart boundary differs in each request and larger files are on
    disk. without: names of excluded fields.
    """
    digest = hashlib.sha256(_request_line(request))
    for name in sorted(request.POST):
        if name not in without:
            for value in request.POST.getlist(name):
                _add_part(digest, b"field", name, [value.encode("utf-8", "surrogatepass")])
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            _add_part(digest, b"file", f"{name}\0{file.name}", file.chunks())
            file.seek(0)
    return hmac.digest(settings.SECRET_KEY.encode(), digest.digest(), "sha256").hex()


def _request_line(request: HttpRequest) -> bytes:
    return f"{request.method} {request.get_full_path()}\n".encode("utf-8", "surrogateescape")


def _add_part(digest: Any, kind: bytes, name: str, chunks: Iterator[bytes] | list[bytes]) -> None:
    """Add the digest of one part, so that two parts never give the same digest as one."""
    part = hashlib.sha256()
    for chunk in chunks:
        part.update(chunk)
    digest.update(kind + hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest() + part.digest())


def prune_keys(*, now: datetime | None = None) -> int:
    """Delete expired responses. Returns their number."""
    before = (now or timezone.now()) - KEEP_FOR
    return IdempotencyKey.objects.filter(created_at__lt=before).delete()[0]
