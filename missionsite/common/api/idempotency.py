"""Requests that may be sent again without harm: the Idempotency-Key header of every operation that writes.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import hmac
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from missionsite.common.api.problems import InputRejected
from missionsite.common.errors import DomainError
from missionsite.common.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# How long an answer is kept, at least.
KEPT = timedelta(hours=24)
LONGEST_KEY = 255

_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")

# The header in the description of an operation.
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Makes it safe to send this request again: a key of your own making, a UUID for example, new for each thing"
        f" you want done. Within {KEPT.total_seconds() / 3600:.0f} hours the same request with the same key is answered"
        f" with the first answer and `{REPLAYED}: true`, and nothing is done twice."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    "example": "6f8b2c1e-0d3a-4f57-9f0e-2a7f4f1f3c55",
}


class IdempotencyKeyReused(DomainError):
    """This Idempotency-Key was used for another request; use a new one for each thing you want done."""

    code = "idempotency_key_reused"
    status = 422


class IdempotencyInFlight(DomainError):
    """The first request with this Idempotency-Key is still running; wait a moment and send it again."""

    code = "idempotency_in_flight"
    # Reached only by whoever goes past the lock.
    constraint = "api_idempotency_keys_unique"


@dataclass(frozen=True)
class Attempt:
    """A request with a key, and what identifies it.

    fingerprint: digest of method, address with query, and body; a body written out differently is another request.
    waits: whether it waits for another one with the same key to end, instead of being rejected.
    """

    owner_id: object
    operation: str
    key: str
    fingerprint: str
    waits: bool = False

    @classmethod
    def of(cls, request: HttpRequest, *, owner_id, operation: str, has_files: bool = False) -> "Attempt | None":
        """The attempt a request is; None without a key. Raises InputRejected for what cannot be one.

        has_files: the body may hold files, which are compared part by part and never held in memory as a whole.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            words = f"A key is 1 to {LONGEST_KEY} visible ASCII characters."
            raise InputRejected([{"pointer": f"header/{HEADER}", "detail": words}])
        if has_files:
            return cls(owner_id, operation, key, digest_of_form(request))
        return cls(owner_id, operation, key, hashlib.sha256(_line_of(request) + request.body).hexdigest())

    def earlier_response(self) -> HttpResponse | None:
        """The answer this request got before; None when the rest of this transaction is to find it.

        Raises IdempotencyKeyReused, and IdempotencyInFlight at once while another transaction is at it.
        """
        if answer := self.stored_response():
            return answer
        if not self._lock():
            raise IdempotencyInFlight
        # The other one may have come to its end between the look and the lock.
        return self.stored_response()

    def store(self, response: HttpResponse) -> None:
        """Keep the answer, in the transaction of its effect."""
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
        """The answer that is kept for this key, if any. Raises IdempotencyKeyReused."""
        kept = IdempotencyKey.objects.filter(owner_id=self.owner_id, operation=self.operation, key=self.key).first()
        if kept is None:
            return None
        if kept.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        return HttpResponse(kept.body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})

    def _lock(self) -> bool:
        """Take the lock of this key until the transaction ends, however it ends; False when it is taken."""
        name = f"idempotency {self.owner_id} {self.operation} {self.key}"
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            if self.waits:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
                return True
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            return cursor.fetchone()[0]


def reject_key(request: HttpRequest, reason: str) -> None:
    """Raise InputRejected if the request has a key; reason: why this operation takes none."""
    if HEADER in request.headers:
        raise InputRejected([{"pointer": f"header/{HEADER}", "detail": reason}])


def digest_of_form(request: HttpRequest, *, without: Container[str] = ()) -> str:
    """HMAC-SHA-256 of method, address with query, and what a form holds, hexadecimal.

    Keyed with the site's secret key: a form may hold a password, which no one should be able to guess from a copy of
    the database. The parts are compared and not the body: clients separate parts by a boundary that is new for each
    request, and files of more than a little lie on disk. without: names of fields that are left out.
    """
    digest = hashlib.sha256(_line_of(request))
    for name in sorted(request.POST):
        if name not in without:
            for value in request.POST.getlist(name):
                _add(digest, b"field", name, [value.encode("utf-8", "surrogatepass")])
    for name in sorted(request.FILES):
        for file in request.FILES.getlist(name):
            _add(digest, b"file", f"{name}\0{file.name}", file.chunks())
            file.seek(0)
    return hmac.digest(settings.SECRET_KEY.encode(), digest.digest(), "sha256").hex()


def _line_of(request: HttpRequest) -> bytes:
    return f"{request.method} {request.get_full_path()}\n".encode("utf-8", "surrogateescape")


def _add(digest, kind: bytes, name: str, chunks: Iterator[bytes] | list[bytes]) -> None:
    """Add one part, as a digest of its own, so that no part can pass for two or two for one."""
    part = hashlib.sha256()
    for chunk in chunks:
        part.update(chunk)
    digest.update(kind + hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest() + part.digest())


def prune_keys(*, now: datetime | None = None) -> int:
    """Forget answers that were kept long enough; returns how many."""
    before = (now or timezone.now()) - KEPT
    return IdempotencyKey.objects.filter(created_at__lt=before).delete()[0]
