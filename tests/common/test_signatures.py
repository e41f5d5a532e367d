"""Routes for programs that sign their requests instead of using a token."""

import json
import time

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from ninja import Schema
from pydantic import ConfigDict

from groups.models import Group
from missionsite.common.api import Router, SiteAPI, signed
from missionsite.common.api.limits import REJECTIONS_PER_MINUTE
from missionsite.common.api.operations import Operation
from missionsite.common.api.signatures import HEADER, TOLERANCE, is_signed, sign
from missionsite.common.errors import DomainError
from tests.support.factories.groups import ColonyFactory, StaffFactory
from tests.support.factories.tokens import make_token

SECRET, NEXT = "the secret", "its successor é"
BODY = b'{"name": "x"}'


class Order(Schema):
    model_config = ConfigDict(extra="forbid")

    name: str


def operation_of(view, *secrets: str) -> Operation:
    router = Router()
    router.post("/probe", response=dict, operation_id="probe")(signed(lambda: list(secrets), repeatable="x")(view))
    probe = SiteAPI(title="probe", urls_namespace="signed")
    probe.add_router("", router)
    return next(operation for _, operation in probe.operations())


def echo(request, order: Order):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        role = cursor.fetchone()[0]
    no_one = isinstance(request.user, AnonymousUser)
    return {"name": order.name, "role": role, "in_transaction": connection.in_atomic_block, "nobody": no_one}


def post(rf, *secrets: str, body: bytes = BODY, signature: str | None = None, view=echo, user=None, **headers):
    if signature is not None:
        headers[HEADER] = signature
    request = rf.post("/api/probe", body, content_type="application/json", headers=headers)
    if user:
        request.user = user
    return operation_of(view, *secrets).run(request)


# --- The signature --------------------------------------------------------------------------------


@pytest.mark.seed("002 what a gateway brings is signed")
def test_signature_matches_specification():
    """Counted with `printf '1790000000.%s' '{"a": 1}' | openssl dgst -sha256 -hmac secret`."""
    assert sign(b'{"a": 1}', "secret", at=1790000000) == (
        "t=1790000000,v1=0d3da63a588777f465d1df3ab37feecd6cc51fac1ed9d339131badc7c1afff29"
    )


@pytest.mark.parametrize("at", [1000 - TOLERANCE, 1000, 1000 + TOLERANCE])
def test_signature_is_valid_for_five_minutes(at):
    assert is_signed(sign(BODY, SECRET, at=at), BODY, [SECRET], now=1000)


@pytest.mark.parametrize("at", [0, 1000 - TOLERANCE - 1, 1000 + TOLERANCE + 1, 10**11])
def test_signature_of_other_time_is_rejected(at):
    assert not is_signed(sign(BODY, SECRET, at=at), BODY, [SECRET], now=1000)


def test_signature_covers_body_secret_and_time():
    good = sign(BODY, SECRET, at=1000)
    assert is_signed(good, BODY, [NEXT, SECRET], now=1000)
    assert not is_signed(good, BODY + b" ", [SECRET], now=1000)
    assert not is_signed(good, BODY, [NEXT], now=1000)
    assert not is_signed(good.replace("t=1000", "t=1001"), BODY, [SECRET], now=1000)
    assert not is_signed(good, BODY, [], now=1000)
    assert not is_signed(sign(BODY, "", at=1000), BODY, [""], now=1000)


# --- The frame ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_signed_request_uses_site_role_without_member(rf, secret):
    answer = post(rf, SECRET, NEXT, signature=sign(BODY, secret), user=StaffFactory())
    assert answer.status_code == 200
    assert json.loads(answer.content) == {
        "name": "x",
        "role": "missionsite_app",
        "in_transaction": True,
        "nobody": True,
    }


def bad_signatures() -> dict[str, str | None]:
    good = sign(BODY, SECRET)
    return {
        "none": None,
        "empty": "",
        "nonsense": "nonsense",
        "secret": sign(BODY, "another secret"),
        "body": sign(BODY + b" ", SECRET),
        "old": sign(BODY, SECRET, at=int(time.time()) - TOLERANCE - 5),
        "early": sign(BODY, SECRET, at=int(time.time()) + TOLERANCE + 5),
        "case": good.upper(),
        "short": good[:-1],
        "two": f"{good},v1={'0' * 64}",
        "digits": "t=" + "9" * 5000 + ",v1=" + "0" * 64,
        "letters": good.replace("t=", "t=\u0661"),
    }


@pytest.mark.seed("002 what a gateway brings is signed")
@pytest.mark.django_db
@pytest.mark.parametrize("kind", bad_signatures())
def test_wrong_signature_gets_same_response_as_missing(rf, kind):
    answer = post(rf, SECRET, signature=bad_signatures()[kind])
    document = json.loads(answer.content)
    assert (answer.status_code, document["code"]) == (401, "signature_rejected")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == HEADER
    assert document["detail"].startswith("This request has no signature")


@pytest.mark.django_db
def test_token_does_not_replace_signature(rf):
    _, token = make_token(StaffFactory())
    assert post(rf, SECRET, Authorization=f"Bearer {token}").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("secrets", [(), ("",)])
def test_site_without_secret_rejects_all(rf, secrets):
    answer = post(rf, *secrets, signature=sign(BODY, ""))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (503, "signature_unset")


@pytest.mark.django_db
def test_only_rejected_requests_are_counted(rf):
    for _ in range(REJECTIONS_PER_MINUTE):
        assert post(rf, SECRET, signature="t=1,v1=").status_code == 401
    answer = post(rf, SECRET, signature="t=1,v1=")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
    assert post(rf, SECRET, signature=sign(BODY, SECRET)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"name": NaN}', 400),
        (b"", 422),
        (b'{"name": "\\u0000"}', 422),
        (b'{"name": "x", "more": 1}', 422),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413),
        (b'{"name": "' + b"x" * 5_000_000 + b'"}', 413),
    ],
)
def test_invalid_body_returns_problem(rf, body, status):
    answer = post(rf, SECRET, body=body, signature=sign(body, SECRET))
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.django_db
def test_large_body_is_rejected_before_reading(rf):
    """A request without a signature is rejected by its headers."""
    request = rf.post("/api/probe", b"x" * 5_000_000, content_type="application/json")
    answer = operation_of(echo, SECRET).run(request)
    assert answer.status_code == 401
    assert not hasattr(request, "_body")


@pytest.mark.django_db(transaction=True)
def test_rejected_change_is_rolled_back(rf):
    def write_then_reject(request, order: Order):
        ColonyFactory()
        raise DomainError("No.")

    assert post(rf, SECRET, signature=sign(BODY, SECRET), view=write_then_reject).status_code == 409
    assert not Group.objects.exists()
