"""The example projects: data for every page, consistent with the rules."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from fallback.models import (
    Flow,
    Mission,
    MissionDependency,
    MissionEvent,
    MissionFallbackAllowance,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    Organization,
    OrganizationMembership,
    Project,
    ProjectMember,
    ProjectStar,
)
from fallback.models.choices import (
    ConfigStatus,
    DiscardReason,
    Guardrail,
    ItemStatus,
    List,
    MissionOrigin,
    OrganizationRole,
    Privacy,
    ProjectRole,
    ReviewStatus,
    RunStatus,
    Trigger,
)
from fallback.rules import ENDED_RUN_STATUSES
from fallback.selectors.planning import backlog_of, plan_run
from fallback.services.missions import add_dependency, move_mission, remove_dependency
from fallback.services.projects import add_to_project, change_in_project, remove_from_project, set_project_role
from fallback.services.reports import read_report, repair_reports
from fallback.services.review import accept_item, discard_item, undo_decision
from fallback.services.runs import cancel_run, run_due
from groups.models import Member, Membership
from groups.services.memberships import join_mission, leave_mission

FIXTURE = Path(apps.get_app_config("fallback").path) / "fixtures" / "seeds.json"

pytestmark = pytest.mark.django_db


@pytest.fixture
def document_root(tmp_path, settings):
    settings.STORAGES = settings.STORAGES | {
        "documents": {**settings.STORAGES["documents"], "OPTIONS": {"location": str(tmp_path)}}
    }
    return tmp_path


def everything() -> dict[str, list[str]]:
    """Every row of every table of the app, as text."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("fallback").get_models():
            table = model._meta.db_table
            cursor.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def project(slug: str) -> Project:
    return Project.objects.select_related("organization", "fallback_config").get(slug=slug)


def values_of(model, field: str) -> set:
    return set(model.objects.order_by().values_list(field, flat=True).distinct())


# --- Loading ----------------------------------------------------------------------------------


def test_loading_twice_gives_same_rows(seeds):
    before = everything()
    assert len(before["missions"]) == 55
    call_command("loaddata", "seeds", verbosity=0)
    assert everything() == before


@pytest.mark.deletes("project_stars")
@pytest.mark.seed("004 fixture: two organisations, four projects, missions in all lists, runs in every")
def test_loading_again_keeps_changes(seeds, document_root):
    bruno = Member.objects.get(member_id="FE-P-00002")
    builder = project("trust-builder")
    assert [outcome.run.generated_count for outcome in run_due(actor=Member.objects.system())] == [4]
    first, second, third = MissionFallbackItem.objects.proposed().filter(project=builder).order_by("pk")
    accept_item(actor=bruno, item=first)
    discard_item(actor=bruno, item=second, feedback="Not this month.")
    undo_decision(actor=bruno, item=discard_item(actor=bruno, item=third, feedback="No."))
    cancel_run(actor=bruno, run=MissionFallbackRun.objects.get(status="pending"))
    wait = MissionDependency.objects.filter(mission__project=builder, depends_on__list="doing").get()
    remove_dependency(actor=bruno, mission=wait.mission, depends_on=wait.depends_on)
    add_dependency(actor=bruno, mission=wait.depends_on, depends_on=wait.mission)
    move_mission(actor=bruno, mission=wait.mission, to="done")
    membership = ProjectMember.objects.get(project=builder, role="viewer")
    remove_from_project(actor=bruno, membership=membership)
    set_project_role(actor=bruno, project=builder, member=membership.member, role="reviewer")
    ProjectStar.objects.filter(project=builder, member=bruno).delete()
    ProjectStar.objects.create(project=builder, member=bruno)
    change_in_project(actor=bruno, instance=builder.flows.get(name="Build"), changes={"name": "Make"})
    add_to_project(actor=bruno, kind=Flow, project=builder, values={"name": "Build"})
    joined = Membership.objects.filter(status="active", group__type="mission").first()
    leave_mission(actor=joined.member, member=joined.member, mission=joined.group)
    join_mission(actor=joined.member, member=joined.member, mission=joined.group)
    before = everything()
    call_command("loaddata", "seeds", verbosity=0)
    assert everything() == before


@pytest.mark.deletes("projects", "organizations")
def test_loading_restores_deleted_seeds(seeds):
    before = list(Mission.objects.values_list("pk", "title", "list", "open_dependency_count"))
    for organization in Organization.objects.all():
        organization.projects.all().delete()
        organization.delete()
    call_command("loaddata", "seeds", verbosity=0)
    assert list(Mission.objects.values_list("pk", "title", "list", "open_dependency_count")) == before


def test_completed_run_has_one_summary_with_counts(seeds):
    for run in MissionFallbackRun.objects.filter(status="completed", generated_count__gt=0):
        summary = MissionEvent.objects.get(type="fallback.run_completed", payload__runId=run.pk).payload
        assert (summary["generated"], summary["accepted"], summary["discarded"]) == (
            run.generated_count,
            run.accepted_count,
            run.discarded_count,
        )


def test_database_has_only_rows_of_the_file(seeds):
    listed = json.loads(FIXTURE.read_text(encoding="utf-8"))
    for label in {row["model"] for row in listed}:
        keys = {row["pk"] for row in listed if row["model"] == label}
        found = set(apps.get_model(label).objects.values_list("pk", flat=True))
        # Triggers add an event of each mission that is created.
        assert found >= keys if label == "fallback.missionevent" else found == keys


def test_every_id_is_ulid_of_creation_day():
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for row in json.loads(FIXTURE.read_text(encoding="utf-8")):
        assert re.fullmatch(f"[0-7][{alphabet}]{{25}}", row["pk"]), row
        made = next(
            row["fields"][name] for name in ("created_at", "started_at", "occurred_at") if name in row["fields"]
        )
        milliseconds = 0
        for letter in row["pk"][:10]:
            milliseconds = milliseconds * 32 + alphabet.index(letter)
        assert datetime.fromtimestamp(milliseconds / 1000, UTC) == datetime.fromisoformat(made), row


def test_every_mission_has_created_event(seeds):
    assert MissionEvent.objects.filter(type="mission.created").count() == Mission.objects.count()
    assert MissionEvent.objects.exclude(mission=None).exclude(origin="system").count() == 0
    assert values_of(MissionEvent, "mission") - {None} == values_of(Mission, "pk")


# --- Content ----------------------------------------------------------------------------------


@pytest.mark.seed(
    "004 mission_fallback_runs",
    "004 mission_fallback_items",
    "004 missions always end in Done, no loop list",
    "004 fixture: two organisations, four projects, missions in all lists, runs in every",
)
@pytest.mark.parametrize(
    ("model", "field", "choices"),
    [
        (OrganizationMembership, "role", OrganizationRole),
        (ProjectMember, "role", ProjectRole),
        (Project, "privacy", Privacy),
        (MissionFallbackConfig, "status", ConfigStatus),
        (Mission, "list", List),
        (Mission, "origin", MissionOrigin),
        (MissionFallbackRun, "status", RunStatus),
        (MissionFallbackRun, "triggered_by", Trigger),
        (MissionFallbackItem, "status", ItemStatus),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_choice_occurs(seeds, model, field, choices):
    assert values_of(model, field) == set(choices.values)


def test_every_review_status_and_reason_occurs(seeds):
    assert values_of(Mission, "review_status") == {None, *ReviewStatus.values}
    assert values_of(MissionFallbackItem, "reason") == {None, *DiscardReason.values} - {
        DiscardReason.WRONG_TEMPLATE,
        DiscardReason.WRONG_TIME,
    }
    assert MissionFallbackItem.objects.filter(reason="duplicate", duplicate_of__isnull=False).count() == 1
    assert MissionFallbackItem.objects.proposed().filter(snoozed_until__isnull=False).count() == 1
    assert MissionFallbackItem.objects.filter(status="discarded").exclude(feedback="").count() >= 4


@pytest.mark.seed("004 fixture: two organisations, four projects, missions in all lists, runs in every")
def test_two_organizations_have_two_projects_each(seeds):
    assert set(Organization.objects.annotate(n=Count("projects")).values_list("timezone", "n")) == {
        ("Europe/Lisbon", 2),
        ("Asia/Tokyo", 2),
    }


@pytest.mark.seed(
    "004 the relation diagram", "004 fixture: two organisations, four projects, missions in all lists, runs in every"
)
def test_every_project_has_data_for_its_pages(seeds):
    for each in Project.objects.all():
        assert set(each.members.values_list("role", flat=True)) == set(ProjectRole.values), each
        assert set(each.missions.values_list("list", flat=True)) == set(List.values), each
        assert each.stars.exists(), each
        assert each.flows.exists(), each
        assert each.actors.exists(), each
        assert each.repositories.exists(), each
        assert MissionFallbackTemplate.objects.enabled().filter(project=each).count() >= 4, each
        assert each.fallback_runs.count() >= 2, each
        todo = each.missions.filter(list="todo")
        assert todo.filter(ready=True, open_dependency_count=0).exists(), each
        assert todo.filter(ready=True, open_dependency_count__gt=0).exists(), each
        assert todo.filter(ready=False).exists(), each
    assert ProjectStar.objects.count() >= 8


@pytest.mark.seed("004 users")
def test_a_project_has_member_outside_organization(seeds):
    outside = [
        membership
        for membership in ProjectMember.objects.select_related("project")
        if not OrganizationMembership.objects.filter(
            member=membership.member, organization=membership.project.organization_id
        ).exists()
    ]
    assert outside


def test_dependency_on_done_mission_does_not_block(seeds):
    assert MissionDependency.objects.filter(depends_on__list="done").exists()
    assert Mission.objects.filter(dependency_count=2, open_dependency_count=1).count() == 1


def test_skipped_entries_have_shape_of_runs(seeds):
    entries = [entry for run in MissionFallbackRun.objects.all() for entry in run.skipped]
    assert {entry["guardrail"] for entry in entries} == {Guardrail.WEEK, Guardrail.MONTH, Guardrail.TEMPLATES}
    for entry in entries:
        assert set(entry) == {"template", "name", "guardrail", "resetsAt"}
        if entry["guardrail"] == Guardrail.TEMPLATES:
            assert (entry["template"], entry["name"], entry["resetsAt"]) == (None, None, None)
        else:
            assert MissionFallbackTemplate.objects.get(pk=entry["template"]).name == entry["name"]
            frees = datetime.fromisoformat(entry["resetsAt"])
            assert frees.utcoffset() is not None
            assert (frees.hour, frees.minute) == (0, 0)


# --- Consistency ------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["drifted_fallback_runs", "drifted_missions"])
def test_counts_match_rows(seeds, function):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {function}()")
        assert cursor.fetchall() == []


def test_counts_in_file_match_database(seeds):
    counted = {
        "fallback.mission": ("dependency_count", "open_dependency_count"),
        "fallback.missionfallbackrun": ("generated_count", "accepted_count", "discarded_count"),
    }
    # A completed run is in the file twice: before its proposals, and completed after them.
    for row in {row["pk"]: row for row in json.loads(FIXTURE.read_text(encoding="utf-8"))}.values():
        for field in counted.get(row["model"], ()):
            assert getattr(apps.get_model(row["model"]).objects.get(pk=row["pk"]), field) == row["fields"][field]


@pytest.mark.seed("004 items record each generated mission")
def test_accepted_proposals_and_missions_are_linked(seeds):
    accepted = MissionFallbackItem.objects.filter(status="accepted").select_related("mission")
    assert {item.mission.fallback_item_id for item in accepted} == {item.pk for item in accepted}
    assert Mission.objects.filter(origin="fallback").count() == len(accepted) > 10


def test_acceptances_are_charged_to_past_weeks(seeds):
    weeks = MissionFallbackAllowance.objects.filter(period="week")
    assert sum(week.used for week in weeks) == MissionFallbackItem.objects.filter(status="accepted").count()
    latest = max(item.reviewed_at for item in MissionFallbackItem.objects.filter(status="accepted"))
    assert latest < datetime(2026, 11, 16, tzinfo=UTC)
    assert [week for week in weeks if week.used == week.allowed], "a cap that was reached, for its page"


def test_healthy_project_has_enough_and_two_are_inactive(seeds):
    assert not plan_run(project("trust-builder")).deficit
    assert plan_run(project("tool-library")).inactive_reason.startswith("The fallback is paused")
    assert plan_run(project("repair-guides")).inactive_reason.startswith("The fallback is snoozed until 7 January 2036")


@pytest.mark.seed("004 fixture: two organisations, four projects, missions in all lists, runs in every")
def test_first_check_makes_run_for_starving_project_only(seeds, document_root):
    starving = project("webinar-season-1")
    assert backlog_of(starving, up_to=100) == 1
    outcomes = {outcome.project.slug: outcome for outcome in run_due(actor=Member.objects.system())}
    made = outcomes.pop("webinar-season-1").run
    assert outcomes == {}
    assert (made.status, made.triggered_by, made.generated_count) == ("awaiting_review", "automatic", 4)
    assert made.items.proposed().count() == 4
    assert MissionFallbackItem.objects.proposed().filter(project=starving).count() == 4
    assert list(run_due(actor=Member.objects.system(), at=datetime.now(UTC) + timedelta(hours=1))) == []


@pytest.mark.seed("004 solo-unicorn-docs/fallback/{runId}.json")
def test_repair_writes_reports_of_ended_runs(seeds, document_root):
    ended = MissionFallbackRun.objects.filter(status__in=ENDED_RUN_STATUSES)
    assert repair_reports() == {"written": ended.count(), "removed": 0}
    for run in ended:
        report = json.loads(read_report(run))
        assert (report["runId"], report["status"]) == (run.pk, run.status)
        assert len(report["items"]) == run.generated_count
    assert {path.stem for path in document_root.rglob("*.json")} == {run.pk for run in ended}
    assert repair_reports() == {"written": 0, "removed": 0}
