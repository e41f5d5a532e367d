from django.conf import settings
from django.db import migrations, models

from missionsite.common.sqlfiles import add_one_line_checks


class Migration(migrations.Migration):
    """Constraints of single-line text, and indexes for the rows of one project, newest first."""

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
        *add_one_line_checks("CodeAgentSession", "code_agent_sessions", "agent", "log_path"),
        *add_one_line_checks("GithubPullRequest", "github_pull_requests", "title", "branch", "url"),
        *add_one_line_checks("GithubPrComment", "github_pr_comments", "author"),
        *add_one_line_checks("Flow", "flows", "name"),
        *add_one_line_checks("Actor", "actors", "name"),
        *add_one_line_checks(
            "Mission", "missions", "title", "stage", "target_branch", "pr_branch_name", "solution_path", "tasks_path"
        ),
        *add_one_line_checks("Notification", "notifications", "title"),
        *add_one_line_checks("Organization", "organizations", "name", "slug", "timezone"),
        *add_one_line_checks("Project", "projects", "name", "slug"),
        *add_one_line_checks("ProjectRepository", "project_repositories", "name", "url", "default_branch"),
        *add_one_line_checks("MissionFallbackItem", "mission_fallback_items", "title"),
        *add_one_line_checks("MissionFallbackTemplate", "mission_fallback_templates", "name"),
        *add_one_line_checks("Workstation", "workstations", "name"),
        *add_one_line_checks("WorkstationSession", "workstation_sessions", "daemon_version"),
        *add_one_line_checks("WorkstationRepository", "workstation_repositories", "path"),
        *add_one_line_checks("WorkstationWorktree", "workstation_worktrees", "path", "branch"),
    ]
