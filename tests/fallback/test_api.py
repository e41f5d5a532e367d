"""The API of projects and the fallback: operations, problem documents, repeated requests."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fallback.models import Mission, MissionFallbackConfig, MissionFallbackItem, MissionFallbackRun
from fallback.models.choices import ItemStatus, List, ProjectRole, ProjectStatus, RunStatus
from fallback.services.missions import create_mission, move_mission
from fallback.services.projects import set_project_role
from groups.models import Member
from missionsite.api import api
from missionsite.common.models import IdempotencyKey
from tests.groups.test_api_fuzz import sendable, values
from tests.support.concurrency import crowd
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    ProjectFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.sample import examples

pytestmark = pytest.mark.django_db

NO_ONE = "01JD3V9Q8M4X2T6R0B5N7C1KZE"


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture
def project():
    """A project with a threshold of two and two templates."""
    project = ProjectFactory(name="Field guide", organization__name="Futures Edge")
    ConfigFactory(project=project, backlog_threshold=2)
    TemplateFactory.create_batch(2, project=project, estimated_effort_minutes=90)
    return project


@pytest.fixture
def bob(project):
    """A reviewer of the project who is not staff."""
    return person(project, ProjectRole.REVIEWER)


@pytest.fixture
def client(bob):
    return api_client(bob)


@pytest.fixture
def item(project):
    return ItemFactory(
        run=RunFactory(project=project), template=project.fallback_templates.first(), title="Check links"
    )


def person(project, role):
    member = MemberFactory()
    set_project_role(actor=Member.objects.system(), project=project, member=member, role=role)
    return member


def at(project, rest: str = "") -> str:
    return f"/api/projects/{project.pk}{rest}"


def post(client, address: str, /, key: str | None = None, **body):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, body, content_type="application/json", headers=headers)


def patch(client, address: str, /, **body):
    return client.patch(address, body, content_type="application/json")


def rejected(answer, status: int, code: str, *pointers: str) -> dict:
    """The problem document of a response, after a check of its shape."""
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["request_id"] == answer["X-Request-ID"]
    assert len(document["detail"].split()) >= 3
    assert [each["pointer"] for each in document["errors"]] == list(pointers)
    return document


def read_pages(client, address: str) -> tuple[list[dict], int]:
    """All rows of a list, read page by page, and the number of pages."""
    rows, pages = [], 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        assert (f'<{page["next"]}>; rel="next"' == answer.headers.get("Link")) == bool(page["next"])
        rows, address, pages = rows + page["items"], page["next"], pages + 1
    return rows, pages


class TestProjects:
    def test_list_returns_own_projects_with_rights(self, project, bob, client):
        ProjectFactory()
        viewed = ProjectFactory()
        set_project_role(actor=Member.objects.system(), project=viewed, member=bob, role=ProjectRole.VIEWER)
        rows = client.get("/api/projects").json()["items"]
        assert {row["id"]: row["rights"] for row in rows} == {
            project.pk: ["view", "contribute", "review"],
            viewed.pk: ["view"],
        }

    def test_get_returns_project(self, project, client):
        assert client.get(at(project)).json() == {
            "id": project.pk,
            "name": "Field guide",
            "organization": "Futures Edge",
            "description": "",
            "status": "active",
            "rights": ["view", "contribute", "review"],
        }

    @pytest.mark.parametrize("key", [NO_ONE, "x", "%00", "💥", "1" * 26, "1" * 200, "..%2f"])
    def test_get_rejects_unknown_or_malformed_id(self, client, key):
        answer = client.get(f"/api/projects/{key}")
        assert answer.status_code in (400, 404, 422)
        assert answer["Content-Type"] == "application/problem+json"

    def test_get_hides_projects_of_others(self, client):
        others = ProjectFactory()
        document = rejected(client.get(at(others)), 404, "not_found")
        assert "not found" in document["detail"]

    def test_pages_return_every_project_once(self, project, bob, client):
        for made in ProjectFactory.create_batch(6):
            set_project_role(actor=Member.objects.system(), project=made, member=bob, role=ProjectRole.VIEWER)
        rows, pages = read_pages(client, "/api/projects?limit=2")
        assert len({row["id"] for row in rows}) == len(rows) == 7
        assert pages == 4


class TestMissions:
    def test_add_puts_mission_at_end_of_todo(self, project, bob, client):
        first = MissionFactory(project=project)
        answer = post(client, at(project, "/missions"), title="Write it", description="Plain.", priority=5, ready=True)
        assert answer.status_code == 201
        made = answer.json()
        assert {name: made[name] for name in ("title", "description", "priority", "ready", "list", "origin")} == {
            "title": "Write it",
            "description": "Plain.",
            "priority": 5,
            "ready": True,
            "list": "todo",
            "origin": "manual",
        }
        order = Mission.objects.filter(project=project).order_by("list_order").values_list("pk", flat=True)
        assert list(order) == [first.pk, made["id"]]
        (event,) = client.get(at(project, f"/missions/{made['id']}/events")).json()["items"]
        assert (event["type"], event["origin"]) == ("mission.created", "user")
        assert Mission.objects.get(pk=made["id"]).events.get().actor_id == bob.pk

    def test_patch_changes_only_given_fields(self, project, client):
        mission = MissionFactory(project=project, title="Old", description="Kept", ready=False)
        changed = patch(client, at(project, f"/missions/{mission.pk}"), title="New", ready=True).json()
        assert (changed["title"], changed["description"], changed["ready"]) == ("New", "Kept", True)
        assert client.get(at(project, f"/missions/{mission.pk}")).json() == changed

    def test_move_puts_mission_beside_another(self, project, client):
        one, two, three = (
            create_mission(actor=Member.objects.system(), project=project, title=name)
            for name in ("one", "two", "three")
        )
        move = at(project, f"/missions/{three.pk}/move")
        assert post(client, move, list="todo", before=one.pk).status_code == 200
        assert post(client, at(project, f"/missions/{one.pk}/move"), list="todo", after=two.pk).status_code == 200
        order = Mission.objects.filter(project=project).order_by("list_order").values_list("pk", flat=True)
        assert list(order) == [three.pk, two.pk, one.pk]
        assert post(client, move, list="done").json()["list"] == "done"

    def test_move_rejects_neighbour_in_another_list(self, project, client):
        mission, other = MissionFactory(project=project), MissionFactory(project=project, list=List.DONE)
        move = at(project, f"/missions/{mission.pk}/move")
        for key in (other.pk, MissionFactory().pk, NO_ONE, "x"):
            rejected(post(client, move, list="doing", before=key), 409, "neighbour_not_found")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/title"),
            ({"title": ""}, "/title"),
            ({"title": "   "}, "/title"),
            ({"title": "x" * 501}, "/title"),
            ({"title": None}, "/title"),
            ({"title": "a\x00b"}, "/title"),
            ({"title": "x", "description": "y" * 50_001}, "/description"),
            ({"title": "x", "priority": 0}, "/priority"),
            ({"title": "x", "priority": 6}, "/priority"),
            ({"title": "x", "priority": 2**70}, "/priority"),
            ({"title": "x", "ready": "perhaps"}, "/ready"),
            ({"title": "x", "origin": "fallback"}, "/origin"),
            ({"title": "x", "project": NO_ONE}, "/project"),
        ],
    )
    def test_add_names_invalid_field_and_adds_nothing(self, project, client, body, pointer):
        rejected(post(client, at(project, "/missions"), **body), 422, "input_rejected", pointer)
        assert not Mission.objects.exists()

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"title": " "}, "/title"), ({"priority": 9}, "/priority"), ({"list": "done"}, "/list")],
    )
    def test_patch_names_invalid_field(self, project, client, body, pointer):
        mission = MissionFactory(project=project)
        rejected(patch(client, at(project, f"/missions/{mission.pk}"), **body), 422, "input_rejected", pointer)

    def test_list_filters_and_pages_missions(self, project, client):
        for number in range(9):
            MissionFactory(project=project, ready=number % 3 == 0)
        move_mission(actor=Member.objects.system(), mission=Mission.objects.filter(ready=True).first(), to=List.DOING)
        MissionFactory()
        ready, _ = read_pages(client, at(project, "/missions?ready=true&limit=2"))
        assert {row["ready"] for row in ready} == {True}
        assert len(ready) == 3
        doing, _ = read_pages(client, at(project, "/missions?list=doing"))
        assert len(doing) == 1
        rows, pages = read_pages(client, at(project, "/missions?limit=4"))
        assert len({row["id"] for row in rows}) == 9
        assert pages == 3

    @pytest.mark.parametrize("query", ["list=gone", "ready=perhaps", "limit=0", "limit=201", "cursor=made-up"])
    def test_list_names_invalid_parameter(self, project, client, query):
        document = client.get(at(project, f"/missions?{query}")).json()
        assert document["status"] == 422
        assert document["errors"][0]["pointer"] == f"query/{query.partition('=')[0]}"

    def test_list_rejects_cursor_of_another_list_or_project(self, project, bob, client):
        MissionFactory.create_batch(2, project=project)
        other = ProjectFactory()
        set_project_role(actor=Member.objects.system(), project=other, member=bob, role=ProjectRole.VIEWER)
        cursor = client.get(at(project, "/missions?limit=1")).json()["next"].partition("cursor=")[2]
        for address in (at(other, "/missions"), at(project, "/fallback/items"), "/api/projects"):
            rejected(client.get(f"{address}?cursor={cursor}"), 422, "cursor_rejected", "query/cursor")
        rejected(
            client.get(at(project, f"/missions?list=todo&cursor={cursor}")), 422, "cursor_rejected", "query/cursor"
        )

    def test_archived_project_is_readable_without_new_missions(self, project, client):
        project.status = ProjectStatus.ARCHIVED
        project.save(update_fields=["status"])
        assert client.get(at(project)).json()["status"] == "archived"
        rejected(post(client, at(project, "/missions"), title="x"), 409, "project_archived")

    def test_events_are_paged_newest_first(self, project, client):
        mission = MissionFactory(project=project)
        for place in (List.DOING, List.REVIEW, List.DONE):
            move_mission(actor=Member.objects.system(), mission=mission, to=place)
        rows, pages = read_pages(client, at(project, f"/missions/{mission.pk}/events?limit=3"))
        assert [row["type"] for row in rows][-1] == "mission.created"
        assert [row["payload"]["changed"]["list"][1] for row in rows if row["type"] == "mission.moved"] == [
            "done",
            "review",
            "doing",
        ]
        assert pages == -(-len(rows) // 3)


class TestRuns:
    def test_plan_returns_next_run_and_writes_nothing(self, project, client):
        before = fallback_rows()
        plan = client.get(at(project, "/fallback/plan")).json()
        assert (plan["backlog_count"], plan["backlog_threshold"], plan["deficit"]) == (0, 2, 2)
        assert sorted(plan["templates"]) == sorted(project.fallback_templates.values_list("pk", flat=True))
        assert fallback_rows() == before

    @pytest.mark.seed("004 command, button and API run the fallback; a dry run writes nothing")
    def test_dry_run_writes_nothing(self, project, client):
        before = fallback_rows()
        answer = post(client, at(project, "/fallback/runs"), dry_run=True)
        assert (answer.status_code, answer.json()["run"]) == (200, None)
        assert answer.json()["message"] == client.get(at(project, "/fallback/plan")).json()["message"]
        assert fallback_rows() == before

    def test_run_proposes_missing_missions(self, project, bob, client):
        answer = post(client, at(project, "/fallback/runs"))
        assert answer.status_code == 201
        run = answer.json()["run"]
        assert (run["triggered_by"], run["status"], run["generated_count"]) == ("api", "awaiting_review", 2)
        assert MissionFallbackRun.objects.get(pk=run["id"]).started_by == bob
        assert client.get(at(project, f"/fallback/runs/{run['id']}")).json() == run
        assert [row["id"] for row in client.get(at(project, "/fallback/runs")).json()["items"]] == [run["id"]]
        items = client.get(at(project, f"/fallback/items?run={run['id']}&status=proposed")).json()["items"]
        assert {item["run"] for item in items} == {run["id"]}
        assert len(items) == 2

    def test_run_without_deficit_returns_200(self, project, client):
        MissionFactory.create_batch(2, project=project)
        answer = post(client, at(project, "/fallback/runs"))
        assert (answer.status_code, answer.json()["run"]) == (200, None)
        assert not MissionFallbackRun.objects.exists()

    def test_run_rejects_project_without_configuration(self, bob):
        bare = ProjectFactory()
        client = api_client(person(bare, ProjectRole.REVIEWER))
        for answer in (
            client.get(at(bare, "/fallback/plan")),
            post(client, at(bare, "/fallback/runs")),
            post(client, at(bare, "/fallback/runs"), dry_run=True),
        ):
            rejected(answer, 409, "no_configuration")

    def test_run_rejects_paused_fallback(self, project, client):
        MissionFallbackConfig.objects.filter(project=project).update(status="paused")
        rejected(post(client, at(project, "/fallback/runs")), 409, "fallback_inactive")

    @pytest.mark.parametrize(("body", "pointer"), [({"dry_run": "perhaps"}, "/dry_run"), ({"at": "now"}, "/at")])
    def test_run_names_invalid_field(self, project, client, body, pointer):
        rejected(post(client, at(project, "/fallback/runs"), **body), 422, "input_rejected", pointer)
        assert not MissionFallbackRun.objects.exists()

    def test_report_exists_after_run_has_ended(self, project, client, item, django_capture_on_commit_callbacks):
        report = at(project, f"/fallback/runs/{item.run_id}/report")
        assert "no report yet" in rejected(client.get(report), 404, "not_found")["detail"]
        with django_capture_on_commit_callbacks(execute=True):
            post(client, at(project, f"/fallback/items/{item.pk}/discard"), reason="unclear")
        document = client.get(report).json()
        assert (document["runId"], document["status"], document["discarded"]) == (item.run_id, "completed", 1)
        assert document["items"][0]["reason"] == "unclear"


class TestDecisions:
    def test_accept_creates_edited_mission(self, project, bob, client, item):
        answer = post(client, at(project, f"/fallback/items/{item.pk}/accept"), title="All links", priority=5)
        assert answer.status_code == 201
        mission = answer.json()
        assert (mission["title"], mission["priority"], mission["origin"]) == ("All links", 5, "fallback")
        assert (mission["fallback_item"], mission["list"], mission["ready"]) == (item.pk, "todo", True)
        decided = client.get(at(project, f"/fallback/items/{item.pk}")).json()
        assert (decided["status"], decided["mission"], decided["title"]) == ("accepted", mission["id"], "All links")
        item.refresh_from_db()
        assert item.reviewed_by == bob

    def test_accept_over_weekly_cap_returns_409_with_reset(self, project, client, item):
        MissionFallbackConfig.objects.filter(project=project).update(weekly_mission_cap=0)
        document = rejected(post(client, at(project, f"/fallback/items/{item.pk}/accept")), 409, "weekly_mission_cap")
        assert "resets on Monday" in document["detail"]
        assert "UTC" in document["detail"]
        item.refresh_from_db()
        assert item.status == ItemStatus.PROPOSED
        assert not Mission.objects.exists()

    def test_accept_over_monthly_hours_returns_409_with_reset(self, project, client, item):
        MissionFallbackConfig.objects.filter(project=project).update(monthly_target_hours=1)
        address = at(project, f"/fallback/items/{item.pk}/accept")
        document = rejected(post(client, address, estimated_effort_minutes=61), 409, "monthly_target_hours")
        assert "reset on" in document["detail"]
        assert not Mission.objects.exists()
        assert post(client, address, estimated_effort_minutes=60).status_code == 201

    def test_discard_stores_reason(self, project, client, item):
        address = at(project, f"/fallback/items/{item.pk}/discard")
        rejected(post(client, address), 422, "reason_missing", "/feedback")
        rejected(post(client, address, feedback="  "), 422, "reason_missing", "/feedback")
        rejected(post(client, address, reason="other"), 422, "reason_missing", "/feedback")
        rejected(post(client, address, reason="run_cancelled"), 422, "input_rejected", "/reason")
        decided = post(client, address, reason="too_large", feedback=" Split it. ").json()
        assert (decided["status"], decided["reason"], decided["feedback"]) == ("discarded", "too_large", "Split it.")
        rejected(post(client, address, reason="unclear"), 409, "already_decided")
        rejected(post(client, at(project, f"/fallback/items/{item.pk}/accept")), 409, "already_decided")

    def test_discard_stores_duplicated_mission_of_project(self, project, client, item):
        address = at(project, f"/fallback/items/{item.pk}/discard")
        for key in (MissionFactory().pk, NO_ONE, "x"):
            rejected(post(client, address, duplicate_of=key), 404, "not_found")
        mission = MissionFactory(project=project)
        decided = post(client, address, duplicate_of=mission.pk).json()
        assert (decided["reason"], decided["duplicate_of"]) == ("duplicate", mission.pk)

    def test_snooze_hides_proposal(self, project, client, item):
        until = (timezone.now() + timedelta(days=2)).replace(microsecond=0).isoformat()
        snoozed = post(client, at(project, f"/fallback/items/{item.pk}/snooze"), until=until).json()
        assert datetime.fromisoformat(snoozed["snoozed_until"]) == datetime.fromisoformat(until)
        assert snoozed["status"] == "proposed"

    @pytest.mark.parametrize(
        "until",
        [
            "2020-01-01T00:00:00Z",
            "2999-01-01T00:00:00",
            "2999-01-01",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "soon",
            "",
            None,
            10**30,
            "2026-02-30T00:00:00Z",
        ],
    )
    def test_snooze_rejects_past_time(self, project, client, item, until):
        answer = post(client, at(project, f"/fallback/items/{item.pk}/snooze"), until=until)
        document = answer.json()
        assert answer.status_code == 422, document
        assert [each["pointer"] for each in document["errors"]] == ["/until"]
        item.refresh_from_db()
        assert item.snoozed_until is None

    def test_undo_reverts_own_decision(self, project, client, item):
        accepted = post(client, at(project, f"/fallback/items/{item.pk}/accept")).json()
        undo = at(project, f"/fallback/items/{item.pk}/undo")
        other = api_client(person(project, ProjectRole.MAINTAINER))
        rejected(other.post(undo), 403, "not_allowed")
        assert client.post(undo).json()["status"] == "proposed"
        assert not Mission.objects.filter(pk=accepted["id"]).exists()
        rejected(client.post(undo), 409, "not_decided")

    def test_undo_rejects_changed_mission(self, project, client, item):
        accepted = post(client, at(project, f"/fallback/items/{item.pk}/accept")).json()
        patch(client, at(project, f"/missions/{accepted['id']}"), title="Changed since")
        rejected(client.post(at(project, f"/fallback/items/{item.pk}/undo")), 409, "mission_changed")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"title": "\t"}, "/title"),
            ({"title": "a\x00"}, "/title"),
            ({"priority": 6}, "/priority"),
            ({"estimated_effort_minutes": 0}, "/estimated_effort_minutes"),
            ({"estimated_effort_minutes": 100_001}, "/estimated_effort_minutes"),
            ({"project": NO_ONE}, "/project"),
            ({"status": "accepted"}, "/status"),
        ],
    )
    def test_accept_names_invalid_edit_and_decides_nothing(self, project, client, item, body, pointer):
        address = at(project, f"/fallback/items/{item.pk}/accept")
        rejected(post(client, address, **body), 422, "input_rejected", pointer)
        item.refresh_from_db()
        assert item.status == ItemStatus.PROPOSED

    def test_lists_are_filtered_and_paged(self, project, client, item):
        ItemFactory.create_batch(4, run=item.run, template=item.template)
        post(client, at(project, f"/fallback/items/{item.pk}/discard"), reason="unclear")
        rows, pages = read_pages(client, at(project, "/fallback/items?status=proposed&limit=3"))
        assert (len(rows), pages) == (4, 2)
        assert item.pk not in {row["id"] for row in rows}
        rows, _ = read_pages(client, at(project, f"/fallback/items?run={NO_ONE}"))
        assert rows == []
        rows, pages = read_pages(client, at(project, "/fallback/templates?limit=1"))
        assert (len(rows), pages) == (2, 2)

    @pytest.mark.parametrize("query", ["status=gone", "limit=many", "cursor=x", "run=%00"])
    def test_list_rejects_invalid_parameter(self, project, client, query):
        for listed in ("items", "runs"):
            if query.startswith("run=") and listed == "runs":
                continue
            answer = client.get(at(project, f"/fallback/{listed}?{query}"))
            assert answer.status_code == (400 if "%00" in query else 422)
            assert answer["Content-Type"] == "application/problem+json"


class TestTemplates:
    def test_launch_creates_mission_and_keeps_template(self, project, client):
        template = project.fallback_templates.first()
        answer = client.post(at(project, f"/fallback/templates/{template.pk}/launch"))
        assert answer.status_code == 201
        assert (answer.json()["title"], answer.json()["origin"]) == (template.name, "fallback")
        run = MissionFallbackRun.objects.get()
        assert (run.triggered_by, run.status, run.accepted_count) == ("api", RunStatus.COMPLETED, 1)

    def test_launch_rejects_disabled_template(self, project, client):
        template = project.fallback_templates.first()
        type(template).objects.filter(pk=template.pk).update(enabled=False)
        answer = client.post(at(project, f"/fallback/templates/{template.pk}/launch"))
        rejected(answer, 409, "template_disabled")

    @pytest.mark.parametrize(
        ("figure", "code"), [("weekly_mission_cap", "weekly_mission_cap"), ("monthly_target_hours",) * 2]
    )
    def test_launch_over_guardrail_leaves_no_run(self, project, client, figure, code):
        MissionFallbackConfig.objects.filter(project=project).update(**{figure: 0})
        template = project.fallback_templates.first()
        document = rejected(client.post(at(project, f"/fallback/templates/{template.pk}/launch")), 409, code)
        assert "reset" in document["detail"]
        assert not MissionFallbackRun.objects.exists()


# --- All operations ---------------------------------------------------------------------------

OPERATIONS = [
    (method.upper(), address, operation)
    for address, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
    if address.startswith("/api/projects")
    for method, operation in methods.items()
]
WITH_KEY = [
    (method, address)
    for method, address, operation in OPERATIONS
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
]


def fallback_rows() -> dict[str, list]:
    """The number of rows of each table, and the configurations."""
    kinds = (Mission, MissionFallbackItem, MissionFallbackRun, MissionFallbackConfig)
    return {kind.__name__: list(kind.objects.order_by("pk").values_list()) for kind in kinds}


def keys_of(project, item) -> dict[str, str]:
    mission = Mission.objects.filter(project=project).first() or MissionFactory(project=project)
    template = project.fallback_templates.first()
    return {
        "project": project.pk,
        "mission": mission.pk,
        "item": item.pk,
        "run": item.run_id,
        "template": template.pk,
    }


def fill(address: str, keys: dict[str, str]) -> str:
    for name, value in keys.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


# A valid body for each operation.
BODIES = {
    "add_project_mission": {"title": "A mission"},
    "change_project_mission": {"title": "Another title"},
    "move_project_mission": {"list": "doing"},
    "discard_fallback_item": {"reason": "unclear"},
    "snooze_fallback_item": {"until": "2999-01-01T00:00:00Z"},
}


def send(client, method: str, address: str, body, **headers):
    return client.generic(method, address, json.dumps(body), "application/json", headers=headers)


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
        if method == "GET" or address.endswith(("/undo", "/launch")):
            continue
        target = fill(address, keys_of(project, item))
        for raw in (b"{", b"\xff", b"NaN", b'{"title": NaN}'):
            answer = client.generic(method, target, raw, "application/json")
            rejected(answer, 400, "invalid_json")
        for raw in (b"[]", b'"x"', b"7"):
            assert client.generic(method, target, raw, "application/json").status_code in (400, 422), (target, raw)


# --- Repeated requests ------------------------------------------------------------------------


def test_creating_operations_accept_idempotency_key():
    assert {address.rpartition("/")[2] for _, address in WITH_KEY} == {
        "missions",
        "runs",
        "accept",
        "discard",
        "launch",
        "move",
        "snooze",
        "undo",
        "{mission}",
    }


OPERATION_OF = {(method, address): operation["operationId"] for method, address, operation in OPERATIONS}


# Changes that keep a body valid.
OTHERWISE = {
    "start_fallback_run": {"dry_run": True},
    "discard_fallback_item": {"reason": "too_large"},
    "move_project_mission": {"list": "review"},
    "snooze_fallback_item": {"until": "2998-01-01T00:00:00Z"},
}


@pytest.mark.seed("004 Idempotency-Key on the operations of the fallback")
@pytest.mark.parametrize(("method", "address"), WITH_KEY)
def test_repeated_request_returns_first_response(project, client, item, method, address):
    target, body = fill(address, keys_of(project, item)), BODIES.get(OPERATION_OF[method, address], {})
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
