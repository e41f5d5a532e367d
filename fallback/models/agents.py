from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import AgentSessionStatus, PullRequestState
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks
from missionsite.common.fields import URLField
from missionsite.common.ids import UlidField


class CodeAgentSession(models.Model):
    """One attempt of an agent at a mission."""

    id = UlidField()
    mission = models.ForeignKey("fallback.Mission", BY_DATABASE, related_name="agent_sessions", db_index=False)
    workstation = models.ForeignKey(
        "fallback.Workstation", BY_DATABASE, null=True, blank=True, related_name="agent_sessions"
    )
    agent = models.CharField(max_length=120)
    status = models.TextField(
        choices=AgentSessionStatus, default=AgentSessionStatus.RUNNING, db_default=AgentSessionStatus.RUNNING
    )
    # Relative to the document root: logs/{sessionId}.log
    log_path = models.TextField(blank=True, default="", db_default="")
    started_at = models.DateTimeField(db_default=TransactionNow())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "code_agent_sessions"
        ordering = [F("started_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("code_agent_sessions", "agent", "log_path"),
            choices_check("code_agent_sessions", "status", AgentSessionStatus),
        ]
        indexes = [
            models.Index(F("mission"), F("started_at").desc(), F("id").desc(), name="code_agent_sessions_of_mission")
        ]


class GithubPullRequest(TimestampedModel):
    """A pull request opened for a mission."""

    mission = models.ForeignKey("fallback.Mission", BY_DATABASE, related_name="pull_requests")
    repository = models.ForeignKey(
        "fallback.ProjectRepository", models.PROTECT, related_name="pull_requests", db_index=False
    )
    number = models.IntegerField()
    title = models.CharField(max_length=500)
    state = models.TextField(choices=PullRequestState, default=PullRequestState.OPEN, db_default=PullRequestState.OPEN)
    branch = models.CharField(max_length=255, blank=True, default="", db_default="")
    url = URLField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        db_table = "github_pull_requests"
        constraints = [
            *one_line_checks("github_pull_requests", "title", "branch", "url"),
            choices_check("github_pull_requests", "state", PullRequestState),
            UniqueConstraint(
                fields=["repository", "number"],
                name="github_pull_requests_once",
                violation_error_code="pull_request_linked",
                violation_error_message=_("This pull request is already linked to another mission."),
                field="url",
            ),
        ]


class GithubPrComment(models.Model):
    """A comment on a pull request."""

    id = UlidField()
    pull_request = models.ForeignKey(GithubPullRequest, BY_DATABASE, related_name="comments", db_index=False)
    github_id = models.BigIntegerField(unique=True)
    author = models.CharField(max_length=255)
    body = models.TextField(blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "github_pr_comments"
        constraints = [*one_line_checks("github_pr_comments", "author")]
        indexes = [models.Index(fields=["pull_request", "created_at"], name="github_pr_comments_of_request")]
