"""API operations: roles, transactions and problem documents."""

import json

import pytest
from django.conf import settings as site_settings
from django.core.signing import BadSignature
from django.db import OperationalError, connection
from django.http import HttpRequest
from ninja import Router as NinjaRouter
from ninja import Schema
from ninja.errors import ConfigError

from groups.models import Group
from missionsite.api import api
from missionsite.common.api import Router, SiteAPI, needs
from missionsite.common.api.operations import Operation, check_storable
from missionsite.common.api.pagination import PageCursor
from missionsite.common.api.problems import InputRejected
from missionsite.common.errors import DomainError
from tests.support.factories.groups import ColonyFactory, MemberFactory, MissionFactory, StaffFactory
from tests.support.factories.tokens import api_client, make_token

PROBLEM = "application/problem+json"


class Named(Schema):
    """A schema with a name."""

    name: str


def operation_of(view, response=dict, **options) -> Operation:
    """An operation on a separate API that returns the result of the view."""
    router = Router()
    router.get("/probe", response=response, operation_id="probe")(needs("missions:read", **options)(view))
    probe = SiteAPI(title="probe", urls_namespace="probe")
    probe.add_router("", router)
    return next(operation for _, operation in probe.operations())


def ask(rf, view, member, response=dict, **options):
    """The response of the view to a member."""
    _, plaintext = make_token(member, "missions:read")
    return operation_of(view, response, **options).run(
        rf.get("/api/probe", headers={"Authorization": f"Bearer {plaintext}"})
    )


def role_and_member(request: HttpRequest) -> dict:
    """The current database role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text, current_member_id()::text")
        role, member = cursor.fetchone()
    return {"role": role, "member": member, "in_transaction": connection.in_atomic_block}


class TestRoles:
    @pytest.mark.django_db(transaction=True)
    def test_member_request_uses_and_resets_member_role(self, rf):
        alice = MemberFactory()
        answer = json.loads(ask(rf, role_and_member, alice).content)
        assert answer == {"role": "missionsite_member", "member": str(alice.pk), "in_transaction": True}
        assert role_and_member(None) == {"role": "missionsite_app", "member": None, "in_transaction": False}

    @pytest.mark.django_db(transaction=True)
    def test_staff_request_uses_site_role(self, rf):
        answer = json.loads(ask(rf, role_and_member, StaffFactory()).content)
        assert answer == {"role": "missionsite_app", "member": None, "in_transaction": True}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("factory", [MemberFactory, StaffFactory])
    def test_own_operation_uses_member_role_for_everyone(self, rf, factory):
        caller = factory()
        answer = json.loads(ask(rf, role_and_member, caller, own=True).content)
        assert answer == {"role": "missionsite_member", "member": str(caller.pk), "in_transaction": True}
        assert role_and_member(None)["role"] == "missionsite_app"

    @pytest.mark.parametrize("options", [{"staff": ["groups.view_group"]}, {"checks_rights": True}])
    def test_own_operation_rejects_staff_permissions(self, options):
        with pytest.raises(ConfigError, match="cannot require permissions of staff"):
            needs("missions:read", own=True, **options)

    @pytest.mark.django_db(transaction=True)
    def test_member_role_is_reset_after_error(self, rf):
        def fail(request):
            raise RuntimeError

        assert ask(rf, fail, MemberFactory()).status_code == 500
        assert role_and_member(None)["role"] == "missionsite_app"

    @pytest.mark.django_db(transaction=True)
    def test_lazy_queryset_is_evaluated_under_role(self, rf):
        """The response is serialised inside the transaction, so row security applies to lazy querysets."""
        ColonyFactory(status=Group.Status.ARCHIVED)
        for member, count in ((MemberFactory(), 0), (StaffFactory(), 1)):
            answer = ask(rf, lambda request: Group.objects.all(), member, response=list[Named])
            assert len(json.loads(answer.content)) == count

    def test_every_operation_has_access_rules(self):
        operations = [operation for _, operation in api.operations()]
        assert operations
        for operation in operations:
            assert type(operation).run is Operation.run
            assert "run" not in vars(operation)
            assert operation.access.scope or operation.access.secrets

    def test_route_without_access_rules_is_rejected(self):
        with pytest.raises(ConfigError, match="needs"):
            Router().get("/open")(lambda request: None)

    def test_route_on_other_router_is_rejected(self):
        router = NinjaRouter()
        router.get("/open")(lambda request: None)
        probe = SiteAPI(title="probe", urls_namespace="outside")
        probe.add_router("", router)
        with pytest.raises(ConfigError, match="does not use the Router"):
            assert probe.urls

    def test_route_on_api_object_is_rejected(self):
        probe = SiteAPI(title="probe", urls_namespace="itself")
        probe.get("/open")(lambda request: None)
        with pytest.raises(ConfigError, match="does not use the Router"):
            assert probe.urls

    def test_async_route_is_rejected(self):
        async def view(request):
            return None

        with pytest.raises(ConfigError, match="plain function"):
            Router().get("/async")(needs("missions:read")(view))

    def test_duplicate_operation_name_is_rejected(self):
        router = Router()
        for address in ("/one", "/two"):
            router.get(address, operation_id="same")(needs("missions:read")(lambda request: None))
        probe = SiteAPI(title="probe", urls_namespace="same")
        probe.add_router("", router)
        with pytest.raises(ConfigError, match="Two operations"):
            assert probe.urls


class TestProblems:
    @pytest.mark.django_db(transaction=True)
    def test_rejected_change_is_rolled_back(self, rf):
        class Rejected(DomainError):
            message = "No."
            code = "no"
            field = "name"
            status = 418

        def write_then_reject(request):
            MissionFactory()
            raise Rejected

        answer = ask(rf, write_then_reject, StaffFactory())
        assert (answer.status_code, answer["Content-Type"]) == (418, PROBLEM)
        document = json.loads(answer.content)
        assert (document["code"], document["detail"], document["type"]) == ("no", "No.", "urn:missionsite:no")
        assert document["errors"] == [{"pointer": "/name", "detail": "No."}]
        assert not Group.objects.exists()

    @pytest.mark.django_db
    def test_server_error_is_logged_and_not_shown(self, rf, caplog):
        def fail(request):
            raise RuntimeError("the inner secret")

        answer = ask(rf, fail, MemberFactory())
        assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
        assert b"secret" not in answer.content
        assert "the inner secret" in caplog.text

    @pytest.mark.django_db
    def test_unavailable_database_returns_503(self, rf):
        def lose(request):
            raise OperationalError("connection lost to host=10.0.0.1")

        answer = ask(rf, lose, StaffFactory())
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert b"10.0.0.1" not in answer.content

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("sql", "status"), [("SELECT 1 / 0", 500), ("SELECT 'x'::uuid", 422), ("SELECT 9999999999::integer", 422)]
    )
    def test_data_error_returns_422_and_others_500(self, rf, sql, status):
        def run(request):
            with connection.cursor() as cursor:
                cursor.execute(sql)

        assert ask(rf, run, MemberFactory()).status_code == status

    @pytest.mark.django_db
    def test_permission_error_of_database_returns_403(self, rf):
        def peek(request):
            with connection.cursor() as cursor:
                cursor.execute("SELECT email FROM members")

        assert ask(rf, peek, MemberFactory()).status_code == 403

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("method", "address", "status", "code"),
        [
            ("get", "/api/me", 401, "token_rejected"),
            ("get", "/api/", 404, "not_found"),
            ("get", "/api/nothing/here", 404, "not_found"),
            ("post", "/api/nothing", 404, "not_found"),
            ("get", "/api/missions/", 404, "not_found"),
            ("delete", "/api/missions", 405, "method_not_allowed"),
            ("options", "/api/missions", 405, "method_not_allowed"),
            ("get", "/api/missions/%00", 400, "bad_request"),
            ("get", "/api/missions?q=%00", 400, "bad_request"),
        ],
    )
    def test_errors_have_the_same_format(self, client, method, address, status, code):
        answer = getattr(client, method)(address, headers={"X-Request-ID": "test-request-1"})
        assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
        document = answer.json()
        assert document.keys() == {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
        assert (document["status"], document["code"]) == (status, code)
        assert document["request_id"] == answer["X-Request-ID"] == "test-request-1"
        if status == 401:
            assert answer["WWW-Authenticate"].startswith("Bearer")
        if status == 405:
            assert answer["Allow"] == "GET"

    @pytest.mark.django_db
    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer ms_x", "Bearer \x00", "ms_abc"])
    def test_wrong_token_gets_same_response_as_missing(self, client, header):
        answer = client.get("/api/me", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_rejected")

    @pytest.mark.seed("site bad input on the API")
    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"{", 400),
            (b"\xff\xfe", 400),
            (b'{"reason": NaN}', 400),
            (b"[" * 100_000, 400),
            (b'{"member": ' + b"9" * 5000 + b"}", 400),
            (b'{"member": 99999999999999999999}', 422),
            (b'{"reason": "\\u0000"}', 422),
            (b'{"reason": "\\ud800"}', 422),
            (b'{"\\u0000": 1}', 422),
            (b"[]", 422),
            (b'"text"', 422),
            (b'{"surprise": 1}', 422),
            (b'{"reason": "' + b"x" * 10_000_000 + b'"}', 413),
        ],
    )
    def test_bad_body_is_rejected(self, body, status):
        client = api_client(MemberFactory())
        answer = client.post(f"/api/missions/{MissionFactory().pk}/join", body, content_type="application/json")
        assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)

    def test_error_pages_outside_api_are_html(self, client):
        assert client.get("/nothing").get("Content-Type").startswith("text/html")

    def test_middleware_is_installed(self):
        """Without it, errors raised before the API is reached would be HTML pages."""
        assert "missionsite.common.api.problems.ProblemMiddleware" in site_settings.MIDDLEWARE

    def test_nested_text_is_checked_at_any_depth(self):
        deep = ["\x00"]
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(InputRejected):
            check_storable(deep, "")
        check_storable({"a": ["b", {"c": 1}], "d": None}, "")


class TestCursor:
    def test_cursor_round_trip(self):
        position = PageCursor("list", ("a", None))
        assert position.read(position.write((None, "Zoë — 名", 3))) == [None, "Zoë — 名", 3]

    @pytest.mark.parametrize("other", [PageCursor("list", ("b",)), PageCursor("other", ("a",))])
    def test_cursor_of_other_list_is_rejected(self, other):
        with pytest.raises(InputRejected) as rejected:
            other.read(PageCursor("list", ("a",)).write((1,)))
        assert not isinstance(rejected.value, BadSignature)
