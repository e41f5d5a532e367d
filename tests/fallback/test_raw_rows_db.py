"""The checks of tables that factories do not make."""

from datetime import UTC, datetime

import pytest

from fallback.models import (
    AccessRequest,
    CodeAgentSession,
    GithubPullRequest,
    NotificationPreference,
    ProjectActivity,
    ProjectStar,
    ProjectWorkstation,
    Workstation,
    WorkstationRepository,
    WorkstationWorktree,
)
from tests.support.database import allow_delete, assert_rejects_alone, rejected_by
from tests.support.factories.fallback import (
    MissionFactory,
    RepositoryFactory,
)
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
ENDED = datetime(2026, 1, 1, tzinfo=UTC)


def least(model) -> dict[str, object]:
    """The least valid values of a row."""
    mission = MissionFactory()
    project, member = mission.project, MemberFactory()
    organization, repository = project.organization, RepositoryFactory(project=project)
    workstation = {"workstation": Workstation.objects.create(organization=organization, name="Other")}
    return {
        AccessRequest: {"project": project, "member": member},
        CodeAgentSession: {"mission": mission, "agent": "ada"},
        GithubPullRequest: {"mission": mission, "repository": repository, "number": 7, "title": "Fix"},
        NotificationPreference: {"organization": organization, "kind": "review"},
        ProjectActivity: {"project": project, "type": "project.changed"},
        ProjectStar: {"project": project, "member": member},
        ProjectWorkstation: {"project": project} | workstation,
        Workstation: {"organization": organization, "name": "One"},
        WorkstationRepository: {"repository": repository, "path": "/one"} | workstation,
        WorkstationWorktree: {"repository": repository, "path": "/one"} | workstation,
    }[model]


@pytest.mark.parametrize(
    ("model", "changes", "rule"),
    [
        (AccessRequest, {"status": "lost"}, "access_requests_status_known"),
        (AccessRequest, {"decided_at": datetime(2026, 1, 1, tzinfo=UTC)}, "access_requests_decision_fits_status"),
        (
            CodeAgentSession,
            {"status": "lost", "ended_at": datetime(2026, 1, 1, tzinfo=UTC)},
            "code_agent_sessions_status_known",
        ),
        (GithubPullRequest, {"state": "lost"}, "github_pull_requests_state_known"),
        (NotificationPreference, {"channel": "post"}, "notification_preferences_channel_known"),
        (ProjectActivity, {"origin": "moon"}, "project_activity_origin_known"),
        (Workstation, {"name": ""}, "workstations_name_not_empty"),
        (Workstation, {"status": "lost"}, "workstations_status_known"),
        (WorkstationWorktree, {"status": "lost"}, "workstation_worktrees_status_known"),
    ],
)
def test_invalid_row_is_rejected(model, changes, rule):
    values = least(model)
    with rejected_by(rule):
        model.objects.create(**values | changes)
    model.objects.create(**values)


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        (AccessRequest, "access_requests_one_pending"),
        (NotificationPreference, "notification_preferences_once"),
        (ProjectStar, "project_stars_once"),
        (ProjectWorkstation, "project_workstations_once"),
        (Workstation, "workstations_name_once"),
        (WorkstationRepository, "workstation_repositories_once"),
        (WorkstationWorktree, "workstation_worktrees_path_once"),
    ],
)
def test_second_row_with_same_values_is_rejected(model, rule):
    values = least(model)
    first = model.objects.create(**values)
    with rejected_by(rule):
        model.objects.create(**values)
    allow_delete(model._meta.db_table)
    first.delete()
    model.objects.create(**values)


NEW_PROJECT = """INSERT INTO organizations (name, slug) VALUES ('Ours', 'ours');
    INSERT INTO projects (organization_id, name, slug) SELECT id, 'One', 'one' FROM organizations WHERE slug = 'ours'"""


@pytest.mark.parametrize(
    ("period", "used", "rule"),
    [
        ("day", 1, "mission_fallback_allowances_period_known"),
        ("week", 3, "mission_fallback_allowances_not_overdrawn"),
        ("week", -1, "mission_fallback_allowances_not_overdrawn"),
    ],
)
def test_allowance_rejects_invalid_row(period, used, rule):
    assert_rejects_alone(
        rule,
        f"""{NEW_PROJECT}; INSERT INTO mission_fallback_allowances (project_id, period, starts_on, used, allowed)
            SELECT id, '{period}', '2026-01-05', {used}, 2 FROM projects WHERE slug = 'one'""",
        # The site role cannot write this table at all.
        prepare="SET CONSTRAINTS ALL DEFERRED",
    )


@pytest.mark.parametrize(("generated", "accepted", "discarded"), [(1, 1, 1), (0, 0, -1)])
def test_counts_of_run_must_add_up_without_triggers(generated, accepted, discarded):
    assert_rejects_alone(
        "mission_fallback_runs_counts_add_up",
        f"""{NEW_PROJECT}; INSERT INTO mission_fallback_runs
                (project_id, triggered_by, generated_count, accepted_count, discarded_count)
            SELECT id, 'manual', {generated}, {accepted}, {discarded} FROM projects WHERE slug = 'one'""",
        prepare="ALTER TABLE mission_fallback_runs DISABLE TRIGGER USER",
    )


def test_unknown_status_of_item_is_rejected_without_decision():
    assert_rejects_alone(
        "mission_fallback_items_status_known",
        f"""{NEW_PROJECT};
            INSERT INTO flows (project_id, name) SELECT id, 'Flow' FROM projects WHERE slug = 'one';
            INSERT INTO actors (project_id, name) SELECT id, 'Actor' FROM projects WHERE slug = 'one';
            INSERT INTO project_repositories (project_id, name) SELECT id, 'a/b' FROM projects WHERE slug = 'one';
            INSERT INTO mission_fallback_templates
                (project_id, name, flow_id, actor_id, repository_id, estimated_effort_minutes)
            SELECT p.id, 'Template', f.id, a.id, r.id, 60 FROM projects p
                JOIN flows f ON f.project_id = p.id JOIN actors a ON a.project_id = p.id
                JOIN project_repositories r ON r.project_id = p.id
            WHERE p.slug = 'one';
            INSERT INTO mission_fallback_runs (project_id, triggered_by)
            SELECT id, 'manual' FROM projects WHERE slug = 'one';
            INSERT INTO mission_fallback_items
                (mission_fallback_run_id, project_id, template_id, title, flow_id, actor_id, repository_id, status)
            SELECT r.id, t.project_id, t.id, 'Proposal', t.flow_id, t.actor_id, t.repository_id, 'lost'
            FROM mission_fallback_templates t JOIN mission_fallback_runs r USING (project_id)""",
        prepare="ALTER TABLE mission_fallback_items DROP CONSTRAINT mission_fallback_items_decision_has_time",
    )
