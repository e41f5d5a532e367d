"""Every operation of the API of projects: unknown ids, rights, rejected bodies."""

import pytest
from django.db import connection

from fallback.models.choices import ProjectRole
from fallback.services.projects import set_project_role
from groups.models import Member
from tests.fallback.api.calls import BODIES, NO_ONE, OPERATIONS, fallback_rows, fill, keys_of, rejected, send
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=[f"{m} {a}" for m, a, _ in OPERATIONS])
def test_unknown_id_returns_404_and_changes_nothing(project, client, item, method, address, operation):
    body, keys = BODIES.get(operation["operationId"], {}), keys_of(project, item)
    parts = [name for name in keys if f"{{{name}}}" in address]
    before = fallback_rows()
    for part in parts:
        for unknown in (NO_ONE, "x", "💥"):
            answer = send(client, method, fill(address, {**keys, part: unknown}), body)
            rejected(answer, 404, "not_found")
        answer = send(client, method, fill(address, {**keys, part: "1" * 27}), body)
        rejected(answer, 422, "input_rejected", f"path/{part}")
        rejected(send(client, method, fill(address, {**keys, part: "\x00"}), body), 400, "bad_request")
    assert fallback_rows() == before


@pytest.mark.parametrize(("method", "address", "operation"), OPERATIONS, ids=[f"{m} {a}" for m, a, _ in OPERATIONS])
def test_role_in_project_decides_also_for_staff(project, item, method, address, operation):
    scope, body = operation["x-scope"], BODIES.get(operation["operationId"], {})
    enough = {
        "projects:read": ProjectRole.VIEWER,
        "fallback:read": ProjectRole.VIEWER,
        "projects:write": ProjectRole.CONTRIBUTOR,
        "fallback:run": ProjectRole.REVIEWER,
        "fallback:review": ProjectRole.REVIEWER,
    }[scope]
    less = {ProjectRole.VIEWER: None, ProjectRole.CONTRIBUTOR: "viewer", ProjectRole.REVIEWER: "contributor"}[enough]
    target = fill(address, keys_of(project, item))
    for factory in (MemberFactory, StaffFactory):
        member = factory()
        if less:
            set_project_role(actor=Member.objects.system(), project=project, member=member, role=less)
            answer = send(api_client(member), method, target, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        elif "{project}" in address:
            assert send(api_client(member), method, target, body).status_code == 404
        set_project_role(actor=Member.objects.system(), project=project, member=member, role=enough)
        connection.cursor().execute("SAVEPOINT before_it")
        answer = send(api_client(member), method, target, body)
        connection.cursor().execute("ROLLBACK TO SAVEPOINT before_it")
        # Not a missing right: there is no report yet, and nothing to undo.
        assert answer.status_code not in (401, 403), answer.content
        assert answer.status_code < 300 or answer.json()["code"] in ("not_decided", "not_found")


def test_body_that_is_not_json_is_rejected(project, client, item):
    for method, address, _told in OPERATIONS:
        if method == "GET" or address.endswith(("/undo", "/launch", "/remove")):
            continue
        target = fill(address, keys_of(project, item))
        for raw in (b"{", b"\xff", b"NaN", b'{"title": NaN}'):
            answer = client.generic(method, target, raw, "application/json")
            rejected(answer, 400, "invalid_json")
        for raw in (b"[]", b'"x"', b"7"):
            assert client.generic(method, target, raw, "application/json").status_code in (400, 422), (target, raw)
