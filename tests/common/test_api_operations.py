"""API operations: roles, transactions, problem documents, the OpenAPI schema and its page."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.conf import settings as site_settings
from django.contrib.staticfiles import finders
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


class Addresses(HTMLParser):
    """The resources that a page loads, and whether it has an inline script."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded, self.inline = [], []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        named = dict(attrs)
        self.loaded += [named[name] for name in ("src", "href", "action") if name in named]
        self.inline += [name for name in named if name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in named and named.get("type") != "application/json"):
            self.inline.append(tag)


class TestDescription:
    def test_docs_page_has_no_external_or_inline_script(self, client):
        answer = client.get("/api/docs")
        assert answer.status_code == 200
        page = Addresses()
        page.feed(answer.content.decode())
        assert page.inline == []
        assert len(page.loaded) >= 5
        assert [address for address in page.loaded if not re.match(r"/(?!/)", address)] == []
        assert "http" not in answer.content.decode()

    def test_docs_styles_load_nothing_external(self):
        for name in ("ninja/swagger-ui.css", "common/api-docs.css"):
            with open(finders.find(name)) as file:
                assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//", file.read())

    def test_docs_page_disables_validator(self, client):
        settings = re.search(r'id="swagger-settings">(.*?)</script>', client.get("/api/docs").content.decode(), re.S)
        assert json.loads(settings[1])["validatorUrl"] is None

    def test_schema_describes_operations_and_errors(self, client):
        schema = client.get("/api/openapi.json").json()
        operations = [each for methods in schema["paths"].values() for each in methods.values()]
        assert {each["operationId"] for each in operations} == {
            "get_me",
            "list_missions",
            "get_mission",
            "list_mission_members",
            "join_mission",
            "leave_mission",
            "search_directory",
            "get_directory_member",
            "register",
            "list_invitations",
            "invite",
            "cancel_invitation",
            "renew_invitation_code",
            "update_invitation",
            "record_participation",
            "list_deck_missions",
            "get_deck_mission",
            "add_deck_mission",
            "change_deck_mission",
            "change_deck_mission_status",
            "get_deck_dod",
            "add_deck_dod_item",
            "change_deck_dod_item",
            "remove_deck_dod_item",
            "list_deck_chats",
            "list_deck_messages",
            "add_deck_message",
            "import_deck_run",
            "start_deck_run",
            "finish_deck_run",
            "give_up_deck_run",
            "list_deck_runs",
            "get_latest_deck_run",
            "get_deck_run",
            "get_deck_run_logs",
            "list_deck_evidence",
            "add_deck_evidence",
            "add_deck_evidence_file",
            "get_deck_evidence_file",
            "remove_deck_evidence",
            "sign_deck_evidence",
            "get_deck_run_changes",
            "get_deck_run_errors",
            "get_deck_test",
            "set_deck_test_owner",
            "quarantine_deck_test",
            "lift_deck_test_quarantine",
            "get_deck_gate",
            "set_deck_gate",
            "confirm_deck_baseline",
            "confirm_deck_vanished_tests",
            "list_projects",
            "get_project",
            "list_project_missions",
            "add_project_mission",
            "get_project_mission",
            "change_project_mission",
            "move_project_mission",
            "list_project_mission_events",
            "get_fallback_plan",
            "list_fallback_runs",
            "start_fallback_run",
            "get_fallback_run",
            "get_fallback_report",
            "list_fallback_items",
            "get_fallback_item",
            "accept_fallback_item",
            "discard_fallback_item",
            "snooze_fallback_item",
            "undo_fallback_item",
            "list_fallback_templates",
            "launch_fallback_template",
            "get_my_engagement",
            "list_my_transitions",
            "get_my_profile",
            "change_my_profile",
            "move_member",
            "list_messages",
            "retry_message",
            "cancel_message",
            "receive_message",
            "receive_receipt",
        }
        signed = {"receive_message", "receive_receipt"}
        for each in operations:
            assert each["summary"]
            if each["operationId"] in signed:
                assert "sign their requests" in each["description"]
                assert each["security"] == [{"Signature": []}]
            else:
                assert f"`{each['x-scope']}`" in each["description"]
                assert each["security"] == [{"TokenAuth": []}]
            rejection = each["responses"]["default"]["content"][PROBLEM]["schema"]["$ref"]
            assert rejection.rpartition("/")[2] in schema["components"]["schemas"]

    def test_schema_describes_authentication(self, client):
        parts = client.get("/api/openapi.json").json()["components"]["securitySchemes"]
        assert parts.keys() == {"TokenAuth", "Signature"}
        assert (parts["Signature"]["in"], parts["Signature"]["name"]) == ("header", "Missionsite-Signature")

    def test_schema_has_example_for_each_response_field(self, client):
        parts = client.get("/api/openapi.json").json()["components"]["schemas"]
        bare = [
            f"{name}.{field}"
            for name, part in parts.items()
            for field, details in part["properties"].items()
            if "examples" not in details and field not in ("items", "errors")
        ]
        assert bare == []
