from django.db import migrations

from missionsite.common.sql_loader import SQLFile

FUNCTIONS = (
    "touch_project",
    "check_organization_timezone",
    "touch_mission",
    "record_new_missions",
    "record_mission_changes",
    "check_dependency",
    "recount_dependencies",
    "count_dependencies",
    "count_dependents",
    "spend_allowance",
    "check_fallback_mission",
    "reject_mission_origin_change",
    "reject_mission_project_change",
    "count_fallback_items",
    "reset_fallback_counts",
    "take_shared_fallback_lock",
    "take_exclusive_fallback_lock",
    "derive_fallback_run",
    "publish_fallback_run",
    "drifted_fallback_runs",
    "drifted_missions",
    "due_fallback_projects",
    "erase_person_in_projects",
)
TRIGGERS = (
    "access_requests",
    "actors",
    "community_members",
    "flows",
    "github_pull_requests",
    "mission_dependencies",
    "mission_fallback_configs",
    "mission_fallback_items",
    "mission_fallback_runs",
    "mission_fallback_templates",
    "missions",
    "notification_preferences",
    "organization_memberships",
    "organizations",
    "project_members",
    "project_repositories",
    "projects",
    "workstation_worktrees",
    "workstations",
)


class Migration(migrations.Migration):
    """Install functions and triggers: timelines, counts, guardrails and the check of the backlog."""

    dependencies = [("fallback", "0005_drop_loop_columns")]

    operations = [
        SQLFile("fallback/data/count_dependencies"),
        *(SQLFile(f"fallback/functions/{name}") for name in FUNCTIONS),
        *(SQLFile(f"fallback/triggers/{table}") for table in TRIGGERS),
        SQLFile("fallback/grants"),
    ]
