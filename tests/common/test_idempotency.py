"""Repeated requests with the same Idempotency-Key have one effect and one response."""

import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from ninja import Schema, Status

from groups.services.memberships import join_mission
from missionsite.common import tasks
from missionsite.common.api import Router, SiteAPI, needs
from missionsite.common.api.idempotency import Attempt, digest_of_form
from missionsite.common.api.operations import Operation
from missionsite.common.errors import DomainError
from missionsite.common.models import Heartbeat, IdempotencyKey
from tests.common.test_worker import until
from tests.support.concurrency import crowd, without
from tests.support.database import rejected_by
from tests.support.factories.groups import MemberFactory, MissionFactory, StaffFactory
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30  # seconds


class Order(Schema):
    """The request body."""

    name: str = "x"


def effects() -> int:
    """The number of effects."""
    return Heartbeat.objects.count()


def sample_view(request, order: Order, response: HttpResponse, at: int = 0):
    """An operation with an effect that shows how often it happened."""
    done = effects()
    Heartbeat.objects.create(name=f"{order.name} {os.urandom(8).hex()}")
    response["Location"] = f"/things/{done}"
    return Status(201, {"done": done, "text": "Zoë"})


def api_of(view: Callable, name: str = "sample", *, method: str = "post") -> SiteAPI:
    """A separate API with this view."""
    router = Router()
    marked = needs("missions:write")(view)
    getattr(router, method)("/sample", response={200: dict, 201: dict, 409: dict}, operation_id=name)(marked)
    api = SiteAPI(title="probe", urls_namespace=f"idempotency {name}")
    api.add_router("", router)
    return api


class Program:
    """A caller of one operation."""

    def __init__(
        self, member, view: Callable = sample_view, name: str = "sample", *, scope: str = "missions:write", **options
    ):
        self.member = member
        _, self.token = make_token(member, scope)
        self.operation: Operation = next(each for _, each in api_of(view, name, **options).operations())

    def send(self, key: str | None = "key-1", body: dict | None = None, *, query: str = "", raw: bytes | None = None):
        headers = {"Authorization": f"Bearer {self.token}"} | ({} if key is None else {"Idempotency-Key": key})
        request = RequestFactory().post(
            f"/api/sample{query}",
            raw if raw is not None else json.dumps(body or {}),
            content_type="application/json",
            headers=headers,
        )
        return self.operation.run(request)


def code_of(answer: HttpResponse) -> str:
    return json.loads(answer.content)["code"]


def is_replay(answer: HttpResponse) -> bool:
    return answer.get("Idempotency-Replayed") == "true"


class TestReplay:
    def test_repeated_request_gets_first_response(self):
        program = Program(StaffFactory())
        first, *again = [program.send() for _ in range(3)]
        assert first.status_code == 201
        assert not is_replay(first)
        for each in again:
            assert is_replay(each)
            assert (each.status_code, each.content) == (201, first.content)
            assert each["Content-Type"] == first["Content-Type"]
            assert each["Location"] == first["Location"] == "/things/0"
            # The count of requests is the request's own, not the answer's.
            assert each["RateLimit-Remaining"] < first["RateLimit-Remaining"]
        assert effects() == 1

    def test_requests_without_key_are_not_idempotent(self):
        program = Program(StaffFactory())
        assert [program.send(None).status_code for _ in range(2)] == [201, 201]
        assert effects() == 2
        assert not IdempotencyKey.objects.exists()

    def test_key_is_scoped_to_member_and_operation(self):
        alice, bob = StaffFactory(), StaffFactory()
        for program in (Program(alice), Program(bob), Program(alice, name="other"), Program(alice)):
            program.send()
        assert Program(alice).send("KEY-1").status_code == 201
        assert effects() == 4

    def test_other_token_of_same_member_gets_response(self):
        alice = StaffFactory()
        assert not is_replay(Program(alice).send())
        assert is_replay(Program(alice).send())

    def test_stored_response_needs_current_rights(self):
        alice = StaffFactory()
        Program(alice).send()
        assert Program(alice, scope="missions:read").send().status_code == 403

    def test_member_repeat_uses_member_role(self):
        alice, mission = MemberFactory(), MissionFactory()

        def join(request, order: Order):
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_user::text, has_table_privilege('api_idempotency_keys', 'SELECT')")
                role, may_read_keys = cursor.fetchone()
            membership = join_mission(member=request.auth.member, mission=mission, actor=request.auth.member)
            return {"membership": str(membership.pk), "role": role, "may_read_keys": may_read_keys}

        program = Program(alice, join)
        first, again = program.send(), program.send()
        assert (first.status_code, again.status_code) == (200, 200)
        assert json.loads(first.content)["role"] == "missionsite_member"
        assert json.loads(first.content)["may_read_keys"] is False
        assert again.content == first.content
        assert is_replay(again)
        assert not is_replay(first)
        # Without the key the second would be rejected: she is in it by now.
        assert program.send("key-2").status_code == 409
        assert IdempotencyKey.objects.get().owner_id == alice.pk


class TestRejection:
    @pytest.mark.parametrize(
        "change",
        [{"body": {"name": "other"}}, {"query": "?at=1"}, {"raw": b"{ }"}, {"raw": b'{"name":"x"}'}],
    )
    def test_key_of_different_request_is_rejected(self, change):
        program = Program(StaffFactory())
        program.send()
        rejected = program.send(**change)
        assert (rejected.status_code, code_of(rejected)) == (422, "idempotency_key_reused")
        assert effects() == 1
        assert is_replay(program.send())

    @pytest.mark.parametrize("key", ["", " ", "a b", "a" * 256, "ä", "a\x7f", "a\tb", "\x00", "名", "a\r\nb"])
    def test_invalid_key_is_rejected(self, key):
        rejected = Program(StaffFactory()).send(key)
        assert (rejected.status_code, code_of(rejected)) == (422, "input_rejected")
        assert json.loads(rejected.content)["errors"][0]["pointer"] == "header/Idempotency-Key"
        assert effects() == 0

    @pytest.mark.parametrize("key", ["a", "a" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~!';DROP--"])
    def test_visible_ascii_key_is_accepted(self, key):
        program = Program(StaffFactory())
        assert [is_replay(program.send(key)) for _ in range(2)] == [False, True]

    @pytest.mark.parametrize("kind", ["rejection", "fault", "database", "answer"])
    def test_failed_request_may_be_retried_with_same_key(self, kind):
        fails = [True]

        def try_it(request, order: Order):
            Heartbeat.objects.create(name=kind)
            if not fails:
                return {"done": True}
            if kind == "answer":
                return Status(409, {"done": False})
            if kind == "database":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 'x'::uuid")
            raise DomainError("No.") if kind == "rejection" else RuntimeError

        program = Program(StaffFactory(), try_it)
        expected = {"rejection": 409, "fault": 500, "database": 422, "answer": 409}
        assert program.send().status_code == expected[kind]
        assert effects() == 0
        assert not IdempotencyKey.objects.exists()
        fails.clear()
        assert [program.send().status_code for _ in range(2)] == [200, 200]
        assert effects() == 1

    def test_invalid_input_does_not_store_key(self):
        program = Program(StaffFactory())
        assert program.send(body={"name": 5}).status_code == 422
        assert program.send(body={"name": "right"}).status_code == 201


class Blocking:
    """An operation that waits after its effect until it may end."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

        def view(request, order: Order):
            Heartbeat.objects.create(name=os.urandom(8).hex())
            self.has_begun.set()
            assert self.may_end.wait(PATIENCE)
            return {"done": True}

        self.view = view


@pytest.fixture
def at_the_side():
    """Runs a function in a thread and closes its connection."""
    with ThreadPoolExecutor(2) as pool:

        def run(function: Callable):
            def close_after():
                try:
                    return function()
                finally:
                    connection.close()

            return pool.submit(close_after)

        yield run


class TestRaces:
    def test_concurrent_request_is_rejected_at_once(self, at_the_side):
        blocking = Blocking()
        program = Program(StaffFactory(), blocking.view)
        first = at_the_side(program.send)
        try:
            assert blocking.has_begun.wait(PATIENCE)
            # The first cannot end before this: an answer that waited for it would never come.
            second = program.send()
            assert (second.status_code, code_of(second)) == (409, "idempotency_in_flight")
            blocking.has_begun.clear()
            other = at_the_side(lambda: program.send("key-2"))
            assert blocking.has_begun.wait(PATIENCE), "another key had to wait"
        finally:
            blocking.may_end.set()
        assert first.result(PATIENCE).status_code == other.result(PATIENCE).status_code == 200
        assert is_replay(program.send())
        assert effects() == 2

    def test_control_without_lock_one_is_rolled_back(self, at_the_side, monkeypatch):
        """A negative control: the unique key still allows one effect only, but no request is rejected at once."""
        monkeypatch.setattr(Attempt, "_lock", lambda self: True)
        blocking = Blocking()
        program = Program(StaffFactory(), blocking.view)
        first = at_the_side(program.send)
        try:
            assert blocking.has_begun.wait(PATIENCE)
            blocking.has_begun.clear()
            second = at_the_side(program.send)
            assert blocking.has_begun.wait(PATIENCE)
        finally:
            blocking.may_end.set()
        answers = [first.result(PATIENCE), second.result(PATIENCE)]
        assert sorted(each.status_code for each in answers) == [200, 409]
        assert effects() == 1

    def test_control_without_lock_and_constraint_runs_twice(self, at_the_side, monkeypatch):
        """A negative control."""
        monkeypatch.setattr(Attempt, "_lock", lambda self: True)
        blocking = Blocking()
        program = Program(StaffFactory(), blocking.view)
        with without(
            "ALTER TABLE api_idempotency_keys DROP CONSTRAINT api_idempotency_keys_unique",
            "ALTER TABLE api_idempotency_keys"
            " ADD CONSTRAINT api_idempotency_keys_unique UNIQUE (owner_id, operation, key)",
        ):
            both = []
            try:
                for _ in range(2):
                    both.append(at_the_side(program.send))
                    assert blocking.has_begun.wait(PATIENCE)
                    blocking.has_begun.clear()
            finally:
                blocking.may_end.set()
            assert [each.result(PATIENCE).status_code for each in both] == [200, 200]
            IdempotencyKey.objects.all().delete()
        assert effects() == 2

    @pytest.mark.parametrize("size", [2, 20])
    def test_concurrent_requests_have_one_effect(self, size):
        program = Program(StaffFactory())
        with crowd(size) as people:
            for number in range(5):
                answers = people.run(lambda _each, key=f"key-{number}": program.send(key))
                done = [each for each in answers if each.status_code == 201 and not is_replay(each)]
                assert len(done) == 1
                others = [each for each in answers if each is not done[0]]
                assert all(is_replay(each) or code_of(each) == "idempotency_in_flight" for each in others)
                assert {each.content for each in others if is_replay(each)} <= {done[0].content}
                # The rejected requests now get the response.
                assert all(is_replay(each) for each in people.run(lambda _each, key=f"key-{number}": program.send(key)))
        assert effects() == 5

    def test_retry_succeeds_after_killed_process(self):
        alice = StaffFactory()
        readable, writable = os.pipe()

        def write_and_hang(request, order: Order):
            Heartbeat.objects.create(name="never")
            os.write(writable, b".")
            signal.pause()

        hanging, program = Program(alice, write_and_hang), Program(alice)
        # Each process then opens its own.
        connection.close()
        child = os.fork()
        if child == 0:
            try:
                hanging.send()
            finally:
                os._exit(1)
        assert os.read(readable, 1) == b"."
        assert code_of(program.send()) == "idempotency_in_flight"
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        for end in (readable, writable):
            os.close(end)
        # The server notices the end of its client by itself.
        answer = until(lambda: (sent := program.send()).status_code != 409 and sent, "the lock to be free")
        assert answer.status_code == 201
        assert not is_replay(answer)
        assert [heartbeat.name.split()[0] for heartbeat in Heartbeat.objects.all()] == ["x"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"fingerprint": "0" * 63 + "G"}, "api_idempotency_keys_fingerprint_format"),
        ({"status": 199}, "api_idempotency_keys_of_success"),
        ({"status": 400}, "api_idempotency_keys_of_success"),
    ],
)
def test_invalid_response_cannot_be_stored(changes, rule):
    values = {"owner": MemberFactory(), "fingerprint": "0" * 64, "status": 201, "headers": {}}
    IdempotencyKey.objects.create(key="valid", **values)
    with rejected_by(rule):
        IdempotencyKey.objects.create(key="invalid", **(values | changes))


def test_stored_responses_are_pruned_after_a_day():
    program = Program(StaffFactory())
    for key, hours in (("old", 25), ("new", 23)):
        program.send(key)
        IdempotencyKey.objects.filter(key=key).update(created_at=timezone.now() - timedelta(hours=hours))
    assert tasks.prune_idempotency_keys(timestamp=0) == 1
    assert tasks.prune_idempotency_keys(timestamp=0) == 0
    assert [is_replay(program.send(key)) for key in ("old", "new")] == [False, True]


def test_schema_lists_header_where_accepted():
    for method in ("post", "put", "patch", "delete", "get"):
        api = api_of((lambda request: {}) if method == "get" else sample_view, method=method)
        assert api.urls
        schema = api.get_openapi_schema(path_prefix="/api/")
        (operation,) = (each for methods in schema["paths"].values() for each in methods.values())
        headers = [each for each in operation.get("parameters", []) if each["in"] == "header"]
        assert [each["name"] for each in headers] == ([] if method == "get" else ["Idempotency-Key"])


def test_form_digest_depends_on_secret_key(rf, settings):
    """A form may contain a password, which must not be found by guessing from the stored digest."""

    def digest(**values) -> str:
        return digest_of_form(rf.post("/admin/x/", values), without=("token",))

    first = digest(password="secret", token="1")
    assert first == digest(password="secret", token="2")
    assert first != digest(password="another", token="1")
    settings.SECRET_KEY = "another key"
    assert first != digest(password="secret", token="1")


def test_form_digest_distinguishes_parts(rf):
    forms = [{"a": "b", "c": "d"}, {"a": ["b", "c"]}, {"a": ["c", "b"]}, {"a": "bc"}, {"ab": "c"}, {}, {"a": ""}]
    assert len({digest_of_form(rf.post("/x/", values)) for values in forms}) == len(forms)
    assert digest_of_form(rf.post("/x/?a=1")) != digest_of_form(rf.post("/x/?a=2"))
