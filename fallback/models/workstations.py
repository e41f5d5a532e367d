from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel, name_check
from fallback.models.choices import WorkstationStatus, WorktreeStatus
from missionsite.common.constraints import UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


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
    # Whose tokens may use it.
    registered_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="workstations",
        editable=False,
        verbose_name=_("registered by"),
    )

    class Meta:
        db_table = "workstations"
        verbose_name = _("workstation")
        verbose_name_plural = _("workstations")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("workstations", "name"),
            choices_check("workstations", "status", WorkstationStatus),
            name_check("workstations"),
            UniqueConstraint(
                fields=["organization", "name"],
                name="workstations_name_once",
                violation_error_code="workstation_name_taken",
                violation_error_message=_("The organisation already has a workstation of this name."),
                field="name",
            ),
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
        constraints = [
            UniqueConstraint(
                fields=["project", "workstation"],
                name="project_workstations_once",
                violation_error_message=_("The project already uses this workstation."),
            )
        ]


class WorkstationSession(models.Model):
    """One run of the daemon on a workstation."""

    id = UlidField()
    workstation = models.ForeignKey(
        Workstation, BY_DATABASE, related_name="sessions", db_index=False, verbose_name=_("workstation")
    )
    daemon_version = models.CharField(_("version of the daemon"), max_length=64, blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "workstation_sessions"
        verbose_name = _("workstation session")
        verbose_name_plural = _("workstation sessions")
        constraints = [
            *one_line_checks("workstation_sessions", "daemon_version"),
            UniqueConstraint(
                fields=["workstation"],
                condition=Q(ended_at__isnull=True),
                name="workstation_sessions_one_open",
                violation_error_message=_("The daemon of this workstation is registered already."),
            ),
        ]
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

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "workstation_repositories"
        verbose_name = _("repository on a workstation")
        verbose_name_plural = _("repositories on workstations")
        constraints = [
            *one_line_checks("workstation_repositories", "path"),
            UniqueConstraint(
                fields=["workstation", "repository"],
                name="workstation_repositories_once",
                violation_error_message=_("The workstation already has a clone of this repository."),
            ),
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
            UniqueConstraint(
                fields=["workstation", "path"],
                name="workstation_worktrees_path_once",
                violation_error_message=_("The workstation already has a work tree at this path."),
            ),
        ]
