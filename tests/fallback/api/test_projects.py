"""The API of projects and their missions."""

import pytest

from fallback.models import Mission
from fallback.models.choices import List, ProjectRole, ProjectStatus
from fallback.services.missions import create_mission, move_mission
from fallback.services.projects import set_project_role
from groups.models import Member
from tests.fallback.api.calls import NO_ONE, at, patch, post, read_pages, rejected
from tests.support.factories.fallback import (
    MissionFactory,
    ProjectFactory,
)

pytestmark = pytest.mark.django_db


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
