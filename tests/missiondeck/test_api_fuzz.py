"""Fuzz tests of the API of client missions: no server errors, errors with messages, and atomic changes.

The operations and their parameters come from the OpenAPI document.
"""

import json
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missiondeck.models import (
    ChatMessage,
    DeckMission,
    DeckTest,
    DodItem,
    Evidence,
    EvidenceChange,
    EvidenceFile,
    GateBaseline,
    GateRules,
    TestRun,
    VanishedTest,
)
from missiondeck.selectors.deck_tests import key_of_test
from missiondeck.services.evidence import add_evidence
from missionsite.api import api
from missionsite.common.models import IdempotencyKey
from tests.groups.test_api_fuzz import sendable, values
from tests.missiondeck.api_helpers import UNKNOWN_ID, ApiUsers, create_users
from tests.support.factories.missiondeck import ChatMessageFactory, DodItemFactory, RunFactory, junit_of, report_of
from tests.support.sample import examples, share

pytestmark = pytest.mark.django_db

OPERATIONS = [
    (method.upper(), address, spec)
    for address, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
    if address.startswith("/api/deck/")
    for method, spec in methods.items()
]
NAMED = [f"{method} {address}" for method, address, _ in OPERATIONS]
UPLOADS = [(address, spec) for _, address, spec in OPERATIONS if "multipart/form-data" in str(spec.get("requestBody"))]
USERS = ["lead", "deliverer"]
each_operation = pytest.mark.parametrize(("method", "address", "spec"), OPERATIONS, ids=NAMED)


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def cast() -> ApiUsers:
    """A mission with an item, evidence of it, a message, a finished run of a test, and a running one."""
    made = create_users()
    item = DodItemFactory(mission=made.mission)
    add_evidence(actor=made.people["lead"], item=item, kind="sign_off", value="Delivery Lead")
    ChatMessageFactory(mission=made.mission)
    RunFactory(mission=made.mission, failed=True)
    RunFactory(mission=made.mission, running=True)
    return made


def keys_of(cast: ApiUsers) -> dict[str, str]:
    mission = cast.mission
    running = mission.test_runs.get(status="running")
    item = mission.dod_items.get()
    parts = {"number": mission.number, "item": item.pk, "run": running.pk, "citizen": "rafael"}
    parts |= {"evidence": item.evidence.get().pk, "test": key_of_test("test_it")}
    return {name: str(value) for name, value in parts.items()}


def fill(address: str, keys: dict[str, str]) -> str:
    for name, value in keys.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


def stored() -> list:
    kinds = (
        DeckMission,
        DodItem,
        ChatMessage,
        TestRun,
        GateRules,
        GateBaseline,
        VanishedTest,
        Evidence,
        EvidenceChange,
        EvidenceFile,
    )
    kinds += (DeckTest,)
    return [list(kind.objects.order_by("pk").values_list()) for kind in kinds]


def checked(answer, what: str):
    assert answer.status_code < 500, (what, answer.content)
    assert answer["X-Request-ID"]
    if answer.status_code >= 400:
        document = answer.json()
        assert answer["Content-Type"] == "application/problem+json", what
        assert (document["status"], bool(document["detail"])) == (answer.status_code, True), what
    return answer


def fields_of(spec: dict) -> list[str]:
    """The fields of the body of an operation."""
    schema = api.get_openapi_schema(path_prefix="/api/")
    body = spec.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    return list(schema["components"]["schemas"][name]["properties"]) if name else ["to"]


def test_operations_are_found():
    assert len(OPERATIONS) == 45
    assert len(UPLOADS) == 3


# In a build one of the two sends half of them, the other ones and the other user in the next days.
@pytest.mark.parametrize(
    ("method", "address", "spec", "user"),
    share([(*each, user) for number, each in enumerate(OPERATIONS) for user in USERS[:: (-1) ** number]], of=4),
)
def test_input_never_causes_server_error(cast, method, address, spec, user):
    client, keys = cast.client(user), keys_of(cast)
    parameters = [each["name"] for each in spec.get("parameters", []) if each["in"] == "query"]
    names = st.one_of(st.sampled_from(parameters), sendable) if parameters else sendable
    sample_values = st.sampled_from(
        ["active", "qa", "complete", "tests", "user", "2099-01-01T00:00:00Z", "a@example.org", 7, True]
    )
    body = st.fixed_dictionaries({}, optional={name: st.one_of(sample_values, values) for name in fields_of(spec)})
    bodies = st.one_of(st.binary(max_size=100), body.map(lambda value: json.dumps(value).encode()))

    @settings(
        max_examples=examples(10),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        odd=st.dictionaries(st.sampled_from(sorted(keys)), sendable.filter(bool), max_size=1),
        query=st.dictionaries(names, sendable, max_size=3),
        body=bodies,
        kind=st.sampled_from(["application/json", "application/json", "multipart/form-data; boundary=edge", ""]),
    )
    def send(odd, query, body, kind):
        with transaction.atomic():
            before = stored()
            target = fill(address, keys | odd)
            answer = checked(
                client.generic(method, target, body, content_type=kind, QUERY_STRING=urlencode(query)), target
            )
            if answer.status_code >= 400 or method == "GET":
                assert stored() == before, (target, body)
            transaction.set_rollback(True)

    send()


@pytest.mark.parametrize(("address", "spec"), UPLOADS, ids=[address for address, _ in UPLOADS])
def test_upload_never_causes_server_error(cast, address, spec):
    """Multipart bodies: valid, mutilated and random ones."""
    client, target = cast.client("lead", "deck:import", "deck:write"), fill(address, keys_of(cast))
    reports = st.one_of(
        st.sampled_from([junit_of(("a", "passed")), report_of(("a", "failed")), b"", b"<", b"{}", b"[]", b"\x00"]),
        st.binary(max_size=60),
        values.map(lambda value: json.dumps({"results": value}).encode()),
        st.text(max_size=30).map(lambda text: f"<testsuite name='{text}'/>".encode("utf-8", "replace")),
    )
    heads = st.sampled_from(
        [
            'Content-Disposition: form-data; name="report"; filename="r.xml"',
            'Content-Disposition: form-data; name="file"; filename="f.pdf"',
            'Content-Disposition: form-data; name="file"; filename="\x00\u202e../x"',
            'Content-Disposition: form-data; name="logs"; filename="l"',
            'Content-Disposition: form-data; name="report"',
            'Content-Disposition: form-data; name="report"; filename=""',
            'Content-Disposition: form-data; name="report"; filename="\x00\u202e../x"',
            "Content-Disposition: form-data; name=\"report\"; filename*=UTF-8''%ff%00",
            'Content-Disposition: form-data; name="report"; filename="r"\r\nContent-Transfer-Encoding: base64',
            'Content-Disposition: form-data; name="report"; filename="r"\r\nContent-Type: text/plain; charset=none',
            "Content-Disposition: attachment",
            "X: " + "x" * 3_000,
            "",
        ]
    )
    parts = st.lists(st.tuples(heads, reports), max_size=4)
    ends = st.sampled_from([b"--edge--\r\n", b"--edge--", b"", b"--edge", b"--edge\r\n", b"\r\n--edge-"])

    @settings(
        max_examples=examples(60),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(parts=parts, end=ends, cut=st.integers(0, 40))
    def send(parts, end, cut):
        body = b"".join(b"--edge\r\n" + head.encode() + b"\r\n\r\n" + text + b"\r\n" for head, text in parts) + end
        body = body[: len(body) - cut] if cut > 20 else body
        with transaction.atomic():
            before = stored()
            answer = checked(
                client.generic("POST", target, body, content_type="multipart/form-data; boundary=edge"), body
            )
            if answer.status_code >= 400:
                assert stored() == before, body
            transaction.set_rollback(True)

    send()


@each_operation
def test_unknown_ids_are_rejected(cast, method, address, spec):
    client, keys = cast.client("lead"), keys_of(cast)
    before = stored()
    for part in [name for name in keys if f"{{{name}}}" in address]:
        unknown = {"number": ["0", "999999", "x", "9" * 30], "citizen": ["nobody", "x" * 300]}.get(
            part, [UNKNOWN_ID, "x"]
        )
        for value in (*unknown, "💥", "\x00"):
            target = fill(address, {**keys, part: value})
            assert checked(client.generic(method, target, b"{}", "application/json"), target).status_code in (
                400,
                404,
                422,
            )
    assert stored() == before


@each_operation
def test_invalid_json_body_is_rejected(cast, method, address, spec):
    if "application/json" not in spec.get("requestBody", {}).get("content", {}):
        return
    client, target = cast.client("lead"), fill(address, keys_of(cast))
    for raw in (b"{", b"\xff", b"NaN", b'{"title": NaN}', b"[" * 100_000):
        answer = checked(client.generic(method, target, raw, "application/json"), target)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    for raw in (b"[]", b'"x"', b"7", b'{"nobody asked": 1}'):
        assert checked(client.generic(method, target, raw, "application/json"), target).status_code == 422


def test_rejected_upload_does_not_use_up_key(cast):
    client, target = cast.client("lead", "deck:import"), cast.at("/runs/import")
    answer = client.generic("POST", target, b"", "multipart/form-data; boundary=e", headers={"Idempotency-Key": "one"})
    assert answer.status_code == 422
    assert not IdempotencyKey.objects.exists()
