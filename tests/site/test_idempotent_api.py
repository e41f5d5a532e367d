"""Every API operation that writes honors Idempotency-Key; signed operations reject it."""

import json
import tracemalloc
from io import BytesIO

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from groups.models import MemberParticipation
from missionsite.api import api
from missionsite.common.models import IdempotencyKey
from tests.site import matrix, missiondeck
from tests.site.routes import routes
from tests.site.test_form_keys import rewound, written
from tests.site.test_permission_matrix import lines_of
from tests.site.world import World, address, json_of, undone

pytestmark = pytest.mark.django_db

# POST operations without the header, and why the request may be repeated.
EXCEPTIONS = {
    "receive_message": "platform and message_id identify a message",
    "receive_receipt": "a repeated receipt changes nothing",
}
HEADER = "Idempotency-Key"


def described() -> dict[tuple[str, str], dict]:
    """Return every operation of the OpenAPI document, by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
        for method, operation in methods.items()
    }


def takes_key(operation: dict) -> bool:
    return any(each["name"] == HEADER for each in operation.get("parameters", []))


def test_each_writing_operation_takes_key_or_is_listed():
    known = described()
    posts = {operation["operationId"]: operation for (method, _), operation in known.items() if method == "POST"}
    assert len(posts) >= 26
    assert {name for name, operation in posts.items() if not takes_key(operation)} == set(EXCEPTIONS)
    for name, reason in EXCEPTIONS.items():
        assert reason in posts[name]["description"]
    for (method, path), operation in known.items():
        assert takes_key(operation) == (method != "GET" and operation["operationId"] not in EXCEPTIONS), (method, path)


def send(client, method: str, target: str, body, **headers):
    if body and any(hasattr(value, "read") for value in body.values()):
        return client.post(target, rewound(body), headers=headers)
    return client.generic(method, target, "" if body is None else json.dumps(body), "application/json", headers=headers)


def operations(world: World) -> list[tuple[str, str, dict | None]]:
    """Yield method, URL and a valid body of each operation that writes."""
    known = {route.template: route for route in routes()}
    found = []
    for line in lines_of(matrix.API):
        template, method = line.asked.rsplit(maxsplit=1)
        if method not in ("GET", "*") and known[template].name not in EXCEPTIONS:
            route = known[template]
            found.append((method, address(world, route, "superuser"), json_of(world, route, method)))
    return found


def test_repeated_request_returns_first_response(world):
    client = world.token_client("superuser")
    world.give_role("superuser", "Delivery Lead")
    wrong, done, posts = [], 0, 0
    for method, target, body in operations(world):
        with undone():
            first = send(client, method, target, body, **{HEADER: "one"})
            if first.status_code >= 400:
                wrong.append(f"{method} {target}: {first.status_code} {first.content[:200]}")
                continue
            after = written()
            second = send(client, method, target, body, **{HEADER: "one"})
            if (second.status_code, second.content) != (first.status_code, first.content) or written() != after:
                wrong.append(f"{method} {target}: {second.status_code} {second.content[:200]}")
            elif second.get("Idempotency-Replayed") != "true":
                wrong.append(f"{method} {target}: was done again")
        done, posts = done + 1, posts + (method == "POST")
    assert not wrong, "\n".join(wrong)
    assert done >= 29
    assert posts >= 24


def test_retried_participation_counts_once(world):
    client = world.token_client("superuser")
    # An event without a message id, which would identify it.
    event = {"event_type": "ACTION", "platform": "telegram", "room_id": "-1001", "occurred_at": "2026-11-20T12:00:00Z"}
    body = {"events": [{"member_id": world["entry"].member_id, **event}]}
    before = MemberParticipation.objects.count()
    answers = [send(client, "POST", "/api/participation", body, **{HEADER: "one"}) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 200]
    assert MemberParticipation.objects.count() - before == len(body["events"])
    # Without a key each request is separate.
    send(client, "POST", "/api/participation", body)
    assert MemberParticipation.objects.count() - before > len(body["events"])


def upload(world: World, client, content: bytes, *, boundary: str = BOUNDARY, name: str = "report.xml", **headers):
    target = f"/api/deck/missions/{world['deck mission'].number}/runs/import"
    file = SimpleUploadedFile(name, content, "text/xml")
    body = encode_multipart(boundary, {"report": file})
    content_type = MULTIPART_CONTENT.replace(BOUNDARY, boundary)
    return client.generic("POST", target, body, content_type, headers=headers)


def test_uploads_are_compared_by_content(world):
    client = world.token_client("superuser")
    report = rewound(missiondeck.bodies(world.objects)["api/deck/missions/<number>/runs/import", "POST"])[
        "report"
    ].read()
    first = upload(world, client, report, **{HEADER: "one"})
    assert first.status_code == 201, first.content
    # Clients use a new boundary for each request.
    again = upload(world, client, report, boundary="another", **{HEADER: "one"})
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    for changed in ({"content": report + b"\n"}, {"content": report, "name": "other.xml"}):
        rejected = upload(world, client, changed.pop("content"), **changed, **{HEADER: "one"})
        assert (rejected.status_code, rejected.json()["code"]) == (422, "idempotency_key_reused")


def test_large_upload_with_key_is_not_in_memory(world, settings):
    """20 MB on disk are compared in pieces; only the body of the test client is in memory, once."""
    client = world.token_client("superuser")
    target = f"/api/deck/missions/{world['deck mission'].number}/runs/import"
    size = 20_000_000
    body = encode_multipart(BOUNDARY, {"report": SimpleUploadedFile("r.xml", b"x" * size), "logs": BytesIO(b"")})
    settings.DECK_REPORT_BYTES = size - 1
    tracemalloc.start()
    try:
        answer = client.generic("POST", target, body, MULTIPART_CONTENT, headers={HEADER: "one"})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert not IdempotencyKey.objects.exists()
    assert most < size * 1.5


@pytest.mark.parametrize("what", ["inbound", "receipts"])
def test_signed_operation_rejects_idempotency_key(client, what):
    from missionsite.common.api.signatures import sign

    body = json.dumps(
        {"platform": "whatsapp", "message_id": "1", "sender": "5511", "text": "hi"}
        if what == "inbound"
        else {"status": "delivered", "idempotency_key": "one"}
    ).encode()
    signature = {"Missionsite-Signature": sign(body, settings.ENGAGEMENT_INBOUND_SECRETS[0])}
    target = f"/api/engagement/{what}"
    assert client.post(target, body, "application/json", headers=signature).status_code == 200
    rejected = client.post(target, body, "application/json", headers={**signature, HEADER: "one"})
    assert (rejected.status_code, rejected.json()["code"]) == (422, "input_rejected")
    (error,) = rejected.json()["errors"]
    assert error["pointer"] == f"header/{HEADER}"
    assert EXCEPTIONS["receive_message" if what == "inbound" else "receive_receipt"] in error["detail"]
