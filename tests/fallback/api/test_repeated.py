"""Repeated, concurrent and arbitrary requests to the API of projects."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fallback.models import Mission, MissionFallbackConfig, MissionFallbackItem
from missionsite.common.models import IdempotencyKey
from tests.fallback.api.calls import (
    BODIES,
    OPERATIONS,
    WITH_KEY,
    at,
    fallback_rows,
    fill,
    keys_of,
    post,
    rejected,
    send,
    with_comment,
)
from tests.groups.test_api_fuzz import sendable, values
from tests.support.concurrency import crowd
from tests.support.factories.groups import StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.sample import examples

pytestmark = pytest.mark.django_db


# --- Repeated requests ------------------------------------------------------------------------


def test_creating_operations_accept_idempotency_key():
    assert {address.rpartition("/")[2] for _, address in WITH_KEY} == {
        "missions",
        "runs",
        "accept",
        "assign",
        "comments",
        "discard",
        "document",
        "launch",
        "move",
        "remove",
        "snooze",
        "undo",
        "{mission}",
    }


OPERATION_OF = {(method, address): operation["operationId"] for method, address, operation in OPERATIONS}


# Changes that keep a body valid.
OTHERWISE = {
    "save_mission_document": {"content": "Something else"},
    "start_fallback_run": {"dry_run": True},
    "discard_fallback_item": {"reason": "too_large"},
    "move_project_mission": {"list": "review"},
    "assign_project_mission": {"kind": "review"},
    "assign_fallback_item": {"member": "FE-P-99999"},
    "add_mission_comment": {"body": "Something else"},
    "add_item_comment": {"body": "Something else"},
    "snooze_fallback_item": {"until": "2998-01-01T00:00:00Z"},
}


@pytest.mark.seed("004 Idempotency-Key on the operations of the fallback")
@pytest.mark.parametrize(("method", "address"), WITH_KEY)
def test_repeated_request_returns_first_response(project, client, bob, item, method, address):
    keys = with_comment(address, keys_of(project, item), bob)
    target, body = fill(address, keys), BODIES.get(OPERATION_OF[method, address], {})
    if address.endswith("/undo"):
        assert send(client, "POST", target.removesuffix("/undo") + "/discard", {"reason": "unclear"}).status_code == 200
    first = send(client, method, target, body, **{"Idempotency-Key": "k1"})
    assert first.status_code in (200, 201), first.content
    after = fallback_rows()
    again = send(client, method, target, body, **{"Idempotency-Key": "k1"})
    assert again["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert fallback_rows() == after
    another = OTHERWISE.get(OPERATION_OF[method, address], {"title": "Something else"})
    changed = send(client, method, target, {**body, **another}, **{"Idempotency-Key": "k1"})
    rejected(changed, 422, "idempotency_key_reused")
    assert fallback_rows() == after


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_invalid_idempotency_key_is_named(project, client, key):
    answer = send(client, "POST", at(project, "/missions"), {"title": "x"}, **{"Idempotency-Key": key})
    rejected(answer, 422, "input_rejected", "header/Idempotency-Key")
    assert not Mission.objects.exists()


def test_rejection_is_not_stored_under_key(project, client, item):
    accept = at(project, f"/fallback/items/{item.pk}/accept")
    MissionFallbackConfig.objects.filter(project=project).update(weekly_mission_cap=0)
    rejected(post(client, accept, key="k1"), 409, "weekly_mission_cap")
    assert not IdempotencyKey.objects.exists()
    MissionFallbackConfig.objects.filter(project=project).update(weekly_mission_cap=1)
    assert post(client, accept, key="k1").status_code == 201


@pytest.mark.seed("004 Idempotency-Key on the operations of the fallback")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keyed", [True, False])
def test_eight_concurrent_equal_requests_have_one_effect(project, bob, keyed):
    """Negative control: without the key, the same requests create eight missions."""
    clients = [api_client(bob) for _ in range(8)]
    with crowd(8) as people:
        key = "one-and-the-same" if keyed else None
        answers = people.run(lambda number: post(clients[number], at(project, "/missions"), key=key, title="Once"))
    assert Mission.objects.filter(project=project).count() == (1 if keyed else 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            rejected(answer, 409, "idempotency_in_flight")
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == (1 if keyed else 8)


@pytest.mark.seed("004 Idempotency-Key on the operations of the fallback")
@pytest.mark.django_db(transaction=True)
def test_repeat_during_first_request_is_rejected(project, bob, item):
    """The first request waits for a lock that this test has on the proposal."""
    first, second = api_client(bob), api_client(bob)
    accept = at(project, f"/fallback/items/{item.pk}/accept")
    with ThreadPoolExecutor(1) as pool:
        try:
            with transaction.atomic():
                MissionFallbackItem.objects.select_for_update().get(pk=item.pk)
                running = pool.submit(post, first, accept, key="k1")
                wait_until_blocked_by(connection)
                with ThreadPoolExecutor(1) as other:
                    answer = other.submit(post, second, accept, key="k1").result(30)
                    other.submit(lambda: connection.close()).result(30)
                rejected(answer, 409, "idempotency_in_flight")
            assert running.result(30).status_code == 201
        finally:
            pool.submit(lambda: connection.close()).result(30)
    again = post(second, accept, key="k1")
    assert again["Idempotency-Replayed"] == "true"
    assert Mission.objects.filter(project=project).count() == 1


def wait_until_blocked_by(session) -> None:
    """Wait until another session waits for a lock of this one."""
    with session.cursor() as cursor:
        for _try in range(600):
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.05)")
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("No one waited for the lock.")


# --- Arbitrary input --------------------------------------------------------------------------

FIELDS = ["title", "description", "priority", "ready", "list", "before", "after", "dry_run", "reason", "feedback"]
FIELDS += ["estimated_effort_minutes", "duplicate_of", "until"]
bodies = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, values)).map(lambda value: json.dumps(value).encode()),
)
instants = st.one_of(
    st.datetimes(timezones=st.sampled_from([UTC, None])).map(lambda instant: instant.isoformat()), values
)


@pytest.mark.parametrize("staff", [False, True])
@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=[f"{m} {a}" for m, a, _ in OPERATIONS])
def test_arbitrary_input_causes_no_server_error(project, bob, item, method, address, operation, staff):
    client = api_client(StaffFactory(is_superuser=True) if staff else bob)
    keys = keys_of(project, item)
    parameters = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
    names = st.one_of(st.sampled_from(parameters), sendable) if parameters else sendable
    body = BODIES.get(operation["operationId"], {})
    # What the operation takes, with one field that is anything at all.
    nearly = st.tuples(st.sampled_from(FIELDS), instants).map(lambda odd: json.dumps({**body, odd[0]: odd[1]}).encode())

    @settings(
        max_examples=examples(40),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        odd=st.one_of(st.none(), st.tuples(st.sampled_from(list(keys)), sendable.filter(bool))),
        query=st.dictionaries(names, sendable, max_size=4),
        content=st.one_of(bodies, nearly),
        kind=st.sampled_from(["application/json"] * 4 + ["text/plain", "multipart/form-data", "x" * 300, ""]),
        key=st.sampled_from([None, None, "k1", "k2", "\t"]),
    )
    def check(odd, query, content, kind, key):
        target = fill(address, {**keys, **({odd[0]: odd[1]} if odd else {})})
        answer = client.generic(
            method,
            target,
            content,
            content_type=kind,
            QUERY_STRING=urlencode(query),
            headers={"Idempotency-Key": key} if key else {},
        )
        assert answer.status_code < 500, answer.content
        assert answer["X-Request-ID"]
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code

    check()
