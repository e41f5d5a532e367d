"""Tables of the seed that only the schema needs so far.

Nothing writes them: they are there with the links, constraints and triggers that later features need. Undoing a
decision checks that its mission has no agent session or work tree.
"""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel, name_check
from fallback.models.choices import (
    AgentSessionStatus,
    WorkstationStatus,
    WorktreeStatus,
)
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField


class ProjectStar(models.Model):
    """A project that a member has starred."""

    id = UlidField()
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="stars", db_index=False, verbose_name=_("project")
    )
    member = models.ForeignKey("groups.Member", models.CASCADE, related_name="project_stars", verbose_name=_("member"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "project_stars"
        verbose_name = _("project star")
        verbose_name_plural = _("project stars")
        constraints = [UniqueConstraint(fields=["project", "member"], name="project_stars_once")]


class CodeAgentSession(models.Model):
    """One attempt of an agent at a mission."""

    id = UlidField()
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, related_name="agent_sessions", db_index=False, verbose_name=_("mission")
    )
    workstation = models.ForeignKey(
        "fallback.Workstation",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="agent_sessions",
        verbose_name=_("workstation"),
    )
    agent = models.CharField(_("agent"), max_length=120)
    status = models.TextField(
        _("status"),
        choices=AgentSessionStatus,
        default=AgentSessionStatus.RUNNING,
        db_default=AgentSessionStatus.RUNNING,
    )
    # Relative to the document root: logs/{sessionId}.log
    log_path = models.TextField(_("path of the log"), blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        db_table = "code_agent_sessions"
        verbose_name = _("agent session")
        verbose_name_plural = _("agent sessions")
        ordering = [F("started_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("code_agent_sessions", "agent", "log_path"),
            choices_check("code_agent_sessions", "status", AgentSessionStatus),
        ]
        indexes = [
            models.Index(F("mission"), F("started_at").desc(), F("id").desc(), name="code_agent_sessions_of_mission")
        ]


class GithubPrComment(models.Model):
    """A comment on a pull request."""

    id = UlidField()
    pull_request = models.ForeignKey(
        "fallback.GithubPullRequest",
        BY_DATABASE,
        related_name="comments",
        db_index=False,
        verbose_name=_("pull request"),
    )
    github_id = models.BigIntegerField(_("GitHub ID"), unique=True)
    author = models.CharField(_("author"), max_length=255)
    body = models.TextField(_("body"), blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow())

    class Meta:
        db_table = "github_pr_comments"
        verbose_name = _("pull request comment")
        verbose_name_plural = _("pull request comments")
        constraints = [*one_line_checks("github_pr_comments", "author")]
        indexes = [models.Index(fields=["pull_request", "created_at"], name="github_pr_comments_of_request")]


class Workstation(TimestampedModel):
    """A machine of an organisation on which agents work."""

    organization = models.ForeignKey(
        "fallback.Organization",
        BY_DATABASE,
        related_name="workstations",
        db_index=False,
        verbose_name=_("organisation"),
    )
    name = models.CharField(_("name"), max_length=255)
    status = models.TextField(
        _("status"), choices=WorkstationStatus, default=WorkstationStatus.OFFLINE, db_default=WorkstationStatus.OFFLINE
    )
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)

    class Meta:
        db_table = "workstations"
        verbose_name = _("workstation")
        verbose_name_plural = _("workstations")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("workstations", "name"),
            choices_check("workstations", "status", WorkstationStatus),
            name_check("workstations"),
            UniqueConstraint(fields=["organization", "name"], name="workstations_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectWorkstation(models.Model):
    """A workstation a project may use."""

    id = UlidField()
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="workstations", db_index=False, verbose_name=_("project")
    )
    workstation = models.ForeignKey(Workstation, BY_DATABASE, related_name="projects", verbose_name=_("workstation"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "project_workstations"
        verbose_name = _("workstation of a project")
        verbose_name_plural = _("workstations of projects")
        constraints = [UniqueConstraint(fields=["project", "workstation"], name="project_workstations_once")]


class WorkstationSession(models.Model):
    """One run of the daemon on a workstation."""

    id = UlidField()
    workstation = models.ForeignKey(
        Workstation, BY_DATABASE, related_name="sessions", db_index=False, verbose_name=_("workstation")
    )
    daemon_version = models.CharField(_("version of the daemon"), max_length=64, blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        db_table = "workstation_sessions"
        verbose_name = _("workstation session")
        verbose_name_plural = _("workstation sessions")
        constraints = [*one_line_checks("workstation_sessions", "daemon_version")]
        indexes = [models.Index(F("workstation"), F("started_at").desc(), name="workstation_sessions_latest")]


class WorkstationRepository(models.Model):
    """A repository cloned on a workstation."""

    id = UlidField()
    workstation = models.ForeignKey(
        Workstation, BY_DATABASE, related_name="repositories", db_index=False, verbose_name=_("workstation")
    )
    repository = models.ForeignKey(
        "fallback.ProjectRepository", BY_DATABASE, related_name="clones", verbose_name=_("repository")
    )
    path = models.TextField(_("path"))
    cloned_at = models.DateTimeField(_("cloned"), db_default=TransactionNow())

    class Meta:
        db_table = "workstation_repositories"
        verbose_name = _("repository on a workstation")
        verbose_name_plural = _("repositories on workstations")
        constraints = [
            *one_line_checks("workstation_repositories", "path"),
            UniqueConstraint(fields=["workstation", "repository"], name="workstation_repositories_once"),
        ]


class WorkstationWorktree(TimestampedModel):
    """A work tree from the pool of a workstation, idle or used by a mission."""

    workstation = models.ForeignKey(
        Workstation, BY_DATABASE, related_name="worktrees", db_index=False, verbose_name=_("workstation")
    )
    repository = models.ForeignKey(
        "fallback.ProjectRepository", BY_DATABASE, related_name="worktrees", verbose_name=_("repository")
    )
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="worktrees", verbose_name=_("mission")
    )
    path = models.TextField(_("path"))
    branch = models.CharField(_("branch"), max_length=255, blank=True, default="", db_default="")
    status = models.TextField(
        _("status"), choices=WorktreeStatus, default=WorktreeStatus.IDLE, db_default=WorktreeStatus.IDLE
    )

    class Meta:
        db_table = "workstation_worktrees"
        verbose_name = _("work tree")
        verbose_name_plural = _("work trees")
        constraints = [
            *one_line_checks("workstation_worktrees", "path", "branch"),
            choices_check("workstation_worktrees", "status", WorktreeStatus),
            UniqueConstraint(fields=["workstation", "path"], name="workstation_worktrees_path_once"),
        ]


class AuditEvent(models.Model):
    """An entry of the compliance log. The actor is a pseudonym, never personal data."""

    id = models.BigAutoField(primary_key=True)
    action = models.TextField(_("action"))
    actor_token = models.TextField(_("pseudonym of the actor"), blank=True, default="", db_default="")
    organization = models.ForeignKey(
        "fallback.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_events",
        verbose_name=_("organisation"),
    )
    project = models.ForeignKey(
        "fallback.Project",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_events",
        verbose_name=_("project"),
    )
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(_("occurred"), db_default=TransactionNow())

    class Meta:
        db_table = "audit_events"
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        indexes = [models.Index(F("occurred_at").desc(), F("id").desc(), name="audit_events_newest")]
