"""Signatures of requests with a shared secret: from the site to a gateway, and from a gateway to the site.

`Missionsite-Signature: t=1790000000,v1=<hex>`, where t is the time of signing (seconds since 1970) and v1 the
HMAC-SHA256 of `t`, a full stop and the exact body, with the secret.
"""

import hmac
import re
import time
from collections.abc import Iterable
from hashlib import sha256

HEADER = "Missionsite-Signature"
# Seconds for which a signature is valid, before and after its time by this clock.
TOLERANCE = 300

_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def sign(body: bytes, secret: str, *, at: int | None = None) -> str:
    """The value of the header. at: seconds since 1970, now by default."""
    at = int(time.time()) if at is None else at
    return f"t={at},v1={_digest(body, secret, str(at))}"


def is_signed(value: str, body: bytes, secrets: Iterable[str], *, now: float | None = None) -> bool:
    """Whether a header is a valid signature of a body with one of the secrets at this time."""
    found = _FORM.fullmatch(value)
    if found is None or abs((time.time() if now is None else now) - int(found[1])) > TOLERANCE:
        return False
    # All secrets are compared, so that the duration reveals nothing.
    fits = [hmac.compare_digest(_digest(body, secret, found[1]), found[2]) for secret in secrets if secret]
    return any(fits)


def _digest(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
