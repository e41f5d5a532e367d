from django.conf import settings
from django.db import migrations, models

from missionsite.common.sqlfiles import one_line_rules


class Migration(migrations.Migration):
    """Texts of one line, and indexes for the rows of one project, newest first."""

    dependencies = [
        ("fallback", "0009_erase"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mission",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="missions_of_project",
            ),
        ),
        migrations.AddIndex(
            model_name="missionfallbackitem",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="mission_fallback_items_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="missionfallbackitem",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="mission_fallback_items_of",
            ),
        ),
        # Texts that are typed on one line have one; older ones get blanks in place of control characters.
        *one_line_rules("CodeAgentSession", "code_agent_sessions", "agent", "log_path"),
        *one_line_rules("GithubPullRequest", "github_pull_requests", "title", "branch", "url"),
        *one_line_rules("GithubPrComment", "github_pr_comments", "author"),
        *one_line_rules("Flow", "flows", "name"),
        *one_line_rules("Actor", "actors", "name"),
        *one_line_rules(
            "Mission", "missions", "title", "stage", "target_branch", "pr_branch_name", "solution_path", "tasks_path"
        ),
        *one_line_rules("Notification", "notifications", "title"),
        *one_line_rules("Organization", "organizations", "name", "slug", "timezone"),
        *one_line_rules("Project", "projects", "name", "slug"),
        *one_line_rules("ProjectRepository", "project_repositories", "name", "url", "default_branch"),
        *one_line_rules("MissionFallbackItem", "mission_fallback_items", "title"),
        *one_line_rules("MissionFallbackTemplate", "mission_fallback_templates", "name"),
        *one_line_rules("Workstation", "workstations", "name"),
        *one_line_rules("WorkstationSession", "workstation_sessions", "daemon_version"),
        *one_line_rules("WorkstationRepository", "workstation_repositories", "path"),
        *one_line_rules("WorkstationWorktree", "workstation_worktrees", "path", "branch"),
    ]
