"""The API of runs, decisions and templates."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from fallback.models import Mission, MissionFallbackConfig, MissionFallbackRun
from fallback.models.choices import ItemStatus, ProjectRole, RunStatus
from tests.fallback.api.calls import NO_ONE, at, fallback_rows, patch, person, post, read_pages, rejected
from tests.support.factories.fallback import (
    ItemFactory,
    MissionFactory,
    ProjectFactory,
)
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


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
