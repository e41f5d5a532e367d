from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower

from fallback.models.base import BY_DATABASE, TimestampedModel, name_check
from fallback.models.choices import WorkstationStatus, WorktreeStatus
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField


class Workstation(TimestampedModel):
    """A machine of an organisation on which agents work."""

    organization = models.ForeignKey("fallback.Organization", BY_DATABASE, related_name="workstations", db_index=False)
    name = models.CharField(max_length=255)
    status = models.TextField(
        choices=WorkstationStatus, default=WorkstationStatus.OFFLINE, db_default=WorkstationStatus.OFFLINE
    )
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "workstations"
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
    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="workstations", db_index=False)
    workstation = models.ForeignKey(Workstation, BY_DATABASE, related_name="projects")
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "project_workstations"
        constraints = [UniqueConstraint(fields=["project", "workstation"], name="project_workstations_once")]


class WorkstationSession(models.Model):
    """One run of the daemon on a workstation."""

    id = UlidField()
    workstation = models.ForeignKey(Workstation, BY_DATABASE, related_name="sessions", db_index=False)
    daemon_version = models.CharField(max_length=64, blank=True, default="", db_default="")
    started_at = models.DateTimeField(db_default=TransactionNow())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "workstation_sessions"
        constraints = [*one_line_checks("workstation_sessions", "daemon_version")]
        indexes = [models.Index(F("workstation"), F("started_at").desc(), name="workstation_sessions_latest")]


class WorkstationRepository(models.Model):
    """A repository cloned on a workstation."""

    id = UlidField()
    workstation = models.ForeignKey(Workstation, BY_DATABASE, related_name="repositories", db_index=False)
    repository = models.ForeignKey("fallback.ProjectRepository", BY_DATABASE, related_name="clones")
    path = models.TextField()
    cloned_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "workstation_repositories"
        constraints = [
            *one_line_checks("workstation_repositories", "path"),
            UniqueConstraint(fields=["workstation", "repository"], name="workstation_repositories_once"),
        ]


class WorkstationWorktree(TimestampedModel):
    """A work tree from the pool of a workstation, idle or used by a mission."""

    workstation = models.ForeignKey(Workstation, BY_DATABASE, related_name="worktrees", db_index=False)
    repository = models.ForeignKey("fallback.ProjectRepository", BY_DATABASE, related_name="worktrees")
    mission = models.ForeignKey("fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="worktrees")
    path = models.TextField()
    branch = models.CharField(max_length=255, blank=True, default="", db_default="")
    status = models.TextField(choices=WorktreeStatus, default=WorktreeStatus.IDLE, db_default=WorktreeStatus.IDLE)

    class Meta:
        db_table = "workstation_worktrees"
        constraints = [
            *one_line_checks("workstation_worktrees", "path", "branch"),
            choices_check("workstation_worktrees", "status", WorktreeStatus),
            UniqueConstraint(fields=["workstation", "path"], name="workstation_worktrees_path_once"),
        ]
