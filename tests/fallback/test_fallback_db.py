"""The tables: keys, links within a project, cascades, checks."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from fallback.models import MissionEvent, Project
from tests.support.database import commit, rejected_by, row, rows
from tests.support.factories.fallback import (
    ActorFactory,
    ConfigFactory,
    FlowFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    OrganizationMembershipFactory,
    ProjectFactory,
    ProjectMemberFactory,
    RepositoryFactory,
    RunFactory,
    TemplateFactory,
    accept_as_rows,
    flow_of,
)
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


# --- Keys -------------------------------------------------------------------------------------


@pytest.mark.seed("004 ids of 26 characters")
def test_database_creates_ulid_with_current_time():
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    (key,) = row("INSERT INTO organizations (name, slug) VALUES ('Ours', 'ours') RETURNING id")
    assert re.fullmatch(f"[0-7][{CROCKFORD}]{{25}}", key)
    milliseconds = 0
    for letter in key[:10]:
        milliseconds = milliseconds * 32 + CROCKFORD.index(letter)
    assert before <= datetime.fromtimestamp(milliseconds / 1000, UTC) <= datetime.now(UTC)


def test_ulids_of_different_milliseconds_sort_by_time():
    assert row(
        """WITH keys AS MATERIALIZED (SELECT n, ulid() AS id, pg_sleep(0.002) FROM generate_series(1, 20) n)
           SELECT array_agg(n ORDER BY id COLLATE "C") = array_agg(n ORDER BY n), count(DISTINCT id) FROM keys"""
    ) == (True, 20)


def test_orm_returns_ulid_created_by_database():
    project = ProjectFactory()
    assert Project.objects.get(pk=project.pk) == project
    assert len(project.pk) == 26


TABLES = """
    organizations organization_memberships projects project_members project_stars project_repositories project_activity
    flows actors missions mission_dependencies mission_events code_agent_sessions github_pull_requests
    github_pr_comments workstations project_workstations workstation_sessions workstation_repositories
    workstation_worktrees notifications notification_preferences access_requests mission_fallback_configs
    mission_fallback_templates mission_fallback_runs mission_fallback_items
""".split()  # noqa: SIM905


@pytest.mark.seed("004 ids of 26 characters", "004 the relation diagram")
@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_ulid_default(table):
    assert row(
        """SELECT format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid), collname FROM pg_attribute
           JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum JOIN pg_collation c ON c.oid = attcollation
           WHERE attrelid = %s::regclass AND attname = 'id'""",
        [table],
    ) == ("character varying(26)", "ulid()", "C")


# --- Links within a project -------------------------------------------------------------------

OTHERS = {
    "flow": FlowFactory,
    "actor": ActorFactory,
    "repository": RepositoryFactory,
    "template": TemplateFactory,
    "run": RunFactory,
}


@pytest.mark.parametrize(
    ("make", "link", "constraint"),
    [
        (MissionFactory, "flow", "missions_flow_of_project"),
        (MissionFactory, "actor", "missions_actor_of_project"),
        (MissionFactory, "repository", "missions_repository_of_project"),
        (TemplateFactory, "flow", "fallback_templates_flow_of_project"),
        (TemplateFactory, "actor", "fallback_templates_actor_of_project"),
        (TemplateFactory, "repository", "fallback_templates_repository_of_project"),
        (ItemFactory, "flow", "fallback_items_flow_of_project"),
        (ItemFactory, "actor", "fallback_items_actor_of_project"),
        (ItemFactory, "repository", "fallback_items_repository_of_project"),
        (ItemFactory, "template", "fallback_items_template_of_project"),
        (ItemFactory, "run", "fallback_items_run_of_project"),
    ],
)
@pytest.mark.rule(
    "actors_of_project",
    "flows_of_project",
    "mission_fallback_runs_of_project",
    "mission_fallback_templates_of_project",
    "project_repositories_of_project",
)
def test_link_to_another_project_is_rejected(make, link, constraint):
    mine, theirs = make(), OTHERS[link]()
    table = type(mine)._meta.db_table
    column = type(mine)._meta.get_field(link).column
    with rejected_by(constraint):
        rows(f"UPDATE {table} SET {column} = %s WHERE id = %s", [theirs.pk, mine.pk])
    with rejected_by(constraint):
        if link == "run":
            ItemFactory(run=theirs, project=mine.project, template=mine.template)
        elif make is ItemFactory:
            parts = {part: getattr(mine, part) for part in ("template", "flow", "actor", "repository")}
            ItemFactory(run=mine.run, **(parts | {link: theirs}))
        else:
            make(project=mine.project, **{link: theirs})


def test_referenced_row_cannot_change_project():
    template = TemplateFactory()
    with rejected_by("fallback_templates_flow_of_project"):
        rows("UPDATE flows SET project_id = %s WHERE id = %s", [ProjectFactory().pk, template.flow_id])


@pytest.mark.deletes("flows")
def test_flow_in_use_cannot_be_deleted():
    template = TemplateFactory()
    with rejected_by("fallback_templates_flow_of_project"):
        rows("DELETE FROM flows WHERE id = %s", [template.flow_id])


# --- Cascades ---------------------------------------------------------------------------------


@pytest.mark.deletes("projects")
@pytest.mark.seed("004 the relation diagram")
def test_deleting_project_deletes_its_rows():
    item = ItemFactory()
    project = item.project
    accept_as_rows(item)
    ConfigFactory(project=project)
    first = MissionFactory(project=project, flow=flow_of(project))
    first.dependencies.create(depends_on=MissionFactory(project=project))
    ProjectMemberFactory(project=project)
    rows("INSERT INTO mission_fallback_samples (project_id, backlog_count, backlog_threshold) VALUES (%s, 1, 2)",
         [project.pk])  # fmt: skip
    rows("DELETE FROM projects WHERE id = %s", [project.pk])
    commit()
    for (table,) in rows(
        """SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
           WHERE column_name = 'project_id' AND table_type = 'BASE TABLE'"""
    ):
        assert row(f"SELECT count(*) FROM {table} WHERE project_id = %s", [project.pk]) == (0,), table
    assert rows("SELECT FROM mission_dependencies") == []


@pytest.mark.deletes("organizations", "projects")
@pytest.mark.seed("004 the relation diagram")
def test_organization_with_project_cannot_be_deleted():
    project = ProjectFactory()
    OrganizationMembershipFactory(organization=project.organization)
    (link,) = row(
        """SELECT conname FROM pg_constraint
           WHERE conrelid = 'projects'::regclass AND confrelid = 'organizations'::regclass"""
    )
    with rejected_by(link):
        rows("DELETE FROM organizations WHERE id = %s", [project.organization_id])
    rows("DELETE FROM projects WHERE id = %s", [project.pk])
    rows("DELETE FROM organizations WHERE id = %s", [project.organization_id])
    assert rows("SELECT FROM organization_memberships WHERE organization_id = %s", [project.organization_id]) == []


@pytest.mark.deletes("mission_fallback_runs")
@pytest.mark.seed("004 the relation diagram")
@pytest.mark.rule("missions_fallback_item_id_f64fb2e8_fk_mission_fallback_items_id")
def test_deleting_run_deletes_items_and_keeps_mission():
    item = ItemFactory()
    mission = accept_as_rows(item)
    commit()
    rows("DELETE FROM mission_fallback_runs WHERE id = %s", [item.run_id])
    assert rows("SELECT FROM mission_fallback_items") == []
    mission.refresh_from_db()
    assert (mission.origin, mission.fallback_item_id) == ("fallback", None)


def test_deleting_mission_leaves_proposal_accepted():
    item = ItemFactory()
    mission = accept_as_rows(item)
    rows("DELETE FROM missions WHERE id = %s", [mission.pk])
    commit()
    item.refresh_from_db()
    assert (item.status, item.mission_id) == ("accepted", None)
    assert rows("SELECT FROM mission_events WHERE mission_id = %s", [mission.pk]) == []


def test_mission_with_timeline_can_be_deleted_by_orm():
    mission = MissionFactory()
    MissionFactory(project=mission.project).dependencies.create(depends_on=mission)
    mission.delete()
    assert not mission.project.missions.filter(pk=mission.pk).exists()


@pytest.mark.deletes("mission_fallback_runs", "mission_fallback_items")
def test_run_with_accepted_proposal_can_be_deleted_by_orm():
    item = ItemFactory()
    accept_as_rows(item)
    commit()
    item.run.delete()
    assert rows("SELECT FROM mission_fallback_items") == []


# --- Append-only ------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["mission_events", "project_activity", "audit_events"])
@pytest.mark.parametrize("change", ["UPDATE {} SET payload = '{{}}'", "DELETE FROM {}", "TRUNCATE {}"])
def test_site_cannot_change_timeline(table, change):
    MissionFactory()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(change.format(table))
    assert rejected.value.__cause__.sqlstate == "42501"


def test_site_can_add_to_timeline():
    mission = MissionFactory()
    MissionEvent.objects.create(project=mission.project, mission=mission, type="mission.noted")
    rows("INSERT INTO audit_events (action) VALUES ('looked')")
    assert mission.events.filter(type="mission.noted").exists()


# --- Checks -----------------------------------------------------------------------------------


@pytest.mark.seed("004 missions")
@pytest.mark.parametrize(
    ("make", "values", "constraint"),
    [
        (OrganizationFactory, {"name": " "}, "organizations_name_not_empty"),
        (OrganizationFactory, {"fallback_rollout_percent": 101}, "organizations_rollout_is_a_share"),
        (OrganizationFactory, {"fallback_rollout_percent": -1}, "organizations_rollout_is_a_share"),
        (OrganizationFactory, {"timezone": "Mars/Olympus"}, "organizations_timezone_valid"),
        (OrganizationMembershipFactory, {"role": "king"}, "organization_memberships_role_known"),
        (ProjectFactory, {"name": ""}, "projects_name_not_empty"),
        (ProjectFactory, {"privacy": "secret"}, "projects_privacy_known"),
        (ProjectFactory, {"status": "lost"}, "projects_status_known"),
        (ProjectMemberFactory, {"role": "king"}, "project_members_role_known"),
        (FlowFactory, {"name": "\t"}, "flows_name_not_empty"),
        (ActorFactory, {"name": ""}, "actors_name_not_empty"),
        (RepositoryFactory, {"name": ""}, "project_repositories_name_not_empty"),
        (MissionFactory, {"title": ""}, "missions_title_not_empty"),
        (MissionFactory, {"list": "later"}, "missions_list_known"),
        (MissionFactory, {"pr_mode": "maybe"}, "missions_pr_mode_known"),
        (MissionFactory, {"agent_session_status": "asleep"}, "missions_agent_session_status_known"),
        (MissionFactory, {"review_status": "seen", "reviewer_token": "x"}, "missions_review_status_known"),
        (MissionFactory, {"priority": 6}, "missions_priority_known"),
        (MissionFactory, {"priority": 0}, "missions_priority_known"),
        (MissionFactory, {"origin": "loop"}, "missions_origin_known"),
        (ConfigFactory, {"status": "off"}, "mission_fallback_configs_status_known"),
        (ConfigFactory, {"backlog_threshold": -1}, "mission_fallback_configs_threshold_in_range"),
        (ConfigFactory, {"backlog_threshold": 1001}, "mission_fallback_configs_threshold_in_range"),
        (ConfigFactory, {"check_cadence_minutes": 0}, "mission_fallback_configs_cadence_in_range"),
        (ConfigFactory, {"check_cadence_minutes": 10081}, "mission_fallback_configs_cadence_in_range"),
        (ConfigFactory, {"monthly_target_hours": -1}, "mission_fallback_configs_hours_in_range"),
        (ConfigFactory, {"weekly_mission_cap": 10001}, "mission_fallback_configs_cap_in_range"),
        (ConfigFactory, {"status": "snoozed"}, "mission_fallback_configs_snooze_has_end"),
        (
            ConfigFactory,
            {"snoozed_until": datetime(2030, 1, 1, tzinfo=UTC)},
            "mission_fallback_configs_snooze_has_end",
        ),
        (TemplateFactory, {"name": ""}, "mission_fallback_templates_name_not_empty"),
        (TemplateFactory, {"priority": 9}, "mission_fallback_templates_priority_known"),
        (TemplateFactory, {"estimated_effort_minutes": 0}, "mission_fallback_templates_effort_in_range"),
        (RunFactory, {"triggered_by": "moon"}, "mission_fallback_runs_triggered_by_known"),
        (RunFactory, {"status": "lost"}, "mission_fallback_runs_status_known"),
        (ItemFactory, {"title": ""}, "mission_fallback_items_title_not_empty"),
        (ItemFactory, {"priority": 0}, "mission_fallback_items_priority_known"),
        (ItemFactory, {"estimated_effort_minutes": 100_001}, "mission_fallback_items_effort_in_range"),
        (
            ItemFactory,
            {"reviewed_at": datetime(2026, 1, 1, tzinfo=UTC)},
            "mission_fallback_items_decision_has_time",
        ),
        (ItemFactory, {"status": "discarded", "reason": "other"}, "mission_fallback_items_decision_has_time"),
        (
            ItemFactory,
            {"status": "discarded", "reviewed_at": datetime(2026, 1, 1, tzinfo=UTC), "feedback": "  "},
            "mission_fallback_items_discard_has_reason",
        ),
        (
            ItemFactory,
            {"status": "discarded", "reviewed_at": datetime(2026, 1, 1, tzinfo=UTC), "reason": "mood"},
            "mission_fallback_items_reason_known",
        ),
        (ItemFactory, {"status": "accepted"}, "mission_fallback_items_accepted_has_mission"),
    ],
)
def test_value_out_of_range_is_rejected(make, values, constraint):
    with rejected_by(constraint):
        make(**values)


def test_only_accepted_proposal_has_mission():
    item = ItemFactory()
    with rejected_by("mission_fallback_items_mission_if_accepted"):
        rows("UPDATE mission_fallback_items SET mission_id = %s WHERE id = %s",
             [MissionFactory(project=item.project).pk, item.pk])  # fmt: skip


@pytest.mark.parametrize(
    ("make", "same", "constraint"),
    [
        (ProjectFactory, {"organization": OrganizationFactory, "slug": "one"}, "projects_slug_once"),
        (ProjectMemberFactory, {"project": ProjectFactory, "member": MemberFactory}, "project_members_once"),
        (
            OrganizationMembershipFactory,
            {"organization": OrganizationFactory, "member": MemberFactory},
            "organization_memberships_once",
        ),
        (FlowFactory, {"project": ProjectFactory, "name": "one"}, "flows_name_once"),
        (ActorFactory, {"project": ProjectFactory, "name": "one"}, "actors_name_once"),
        (RepositoryFactory, {"project": ProjectFactory, "name": "one"}, "project_repositories_once"),
        (RunFactory, {"project": ProjectFactory, "status": "pending"}, "mission_fallback_runs_one_pending"),
    ],
)
def test_duplicate_of_unique_row_is_rejected(make, same, constraint):
    values = {name: value() if isinstance(value, type) else value for name, value in same.items()}
    make(**values)
    with rejected_by(constraint):
        make(**values)


@pytest.mark.seed("004 mission_fallback_configs", "004 a project's mission fallback settings")
def test_project_has_one_configuration():
    config = ConfigFactory()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        ConfigFactory(project=config.project)
    assert rejected.value.__cause__.sqlstate == "23505"


@pytest.mark.parametrize("make", [OrganizationFactory, ProjectFactory, FlowFactory, TemplateFactory, ItemFactory])
def test_database_sets_updated_at(make):
    table, kept = make._meta.model._meta.db_table, make()
    rows(f"UPDATE {table} SET updated_at = '2020-01-01', created_at = '2020-01-01' WHERE id = %s", [kept.pk])
    assert row(f"SELECT updated_at = CURRENT_TIMESTAMP FROM {table} WHERE id = %s", [kept.pk]) == (True,)
