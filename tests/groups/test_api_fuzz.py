"""Fuzzing of every operation: no 500, and every error is a problem document."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missionsite.api import api
from tests.support.factories.groups import MembershipFactory, MissionFactory, StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.sample import examples, whose_turn

TARGETS = [
    (method, f"/api{address}", [param["name"] for param in told.get("parameters", []) if param["in"] == "query"])
    for address, methods in (
        (path.removeprefix("/api"), methods)
        for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
    )
    for method, told in methods.items()
]

awkward = st.sampled_from(
    [
        "\x00",
        "\ud800",
        "9" * 30,
        "-1",
        "1e400",
        "NaN",
        "null",
        "' OR 1=1 --",
        "../..",
        "%",
        "\\",
        "🦉" * 50,
        "a" * 5000,
        "",
    ]
)
text = st.one_of(awkward, st.text(max_size=40))
# Any text that can be encoded in a query string or an address.
sendable = text.filter(lambda value: not any("\ud800" <= each <= "\udfff" for each in value))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(min_value=2**63), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional={"member": values, "reason": values}).map(
        lambda value: json.dumps(value).encode()
    ),
    st.just(b'{"reason": "' + b"x" * 10_000_000 + b'"}'),
)


@pytest.fixture
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


# In a build each operation is called by a member or by staff, by the other the next day.
CALLS = [
    (*target, staff)
    for number, target in enumerate(TARGETS)
    for staff in (False, True)
    if whose_turn(number + staff, of=2)
]


@pytest.mark.seed("site bad input on the API")
@pytest.mark.django_db
@pytest.mark.parametrize(("method", "address", "parameters", "staff"), CALLS)
def test_no_input_causes_server_error(no_rate, method, address, parameters, staff):
    membership = MembershipFactory(group=MissionFactory())
    client = api_client(StaffFactory(is_superuser=True) if staff else membership.member)
    keys = st.one_of(st.just(str(membership.group_id)), st.just(membership.group.stable_id), sendable)
    names = st.one_of(st.sampled_from(parameters), sendable) if parameters else sendable

    @settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        key=keys,
        query=st.dictionaries(names, sendable, max_size=4),
        body=bodies,
        kind=st.sampled_from(["application/json", "text/plain", "multipart/form-data", "x" * 300, ""]),
    )
    def send(key, query, body, kind):
        answer = client.generic(
            method.upper(), address.replace("{key}", key or "x"), body, content_type=kind, QUERY_STRING=urlencode(query)
        )
        assert answer.status_code < 500, answer.content
        assert answer["X-Request-ID"]
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code

    send()


@pytest.mark.seed("site bad input on the API")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw", ["q=%ff%fe", "limit=%ff", "cursor=%ed%a0%80", "q=%00", "&&&=;", "limit=1&limit=x", "q" * 5000]
)
def test_raw_query_strings_cause_no_server_error(raw):
    client = api_client(StaffFactory(is_superuser=True))
    answer = client.get("/api/missions", QUERY_STRING=raw)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
