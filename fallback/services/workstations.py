"""Workstations: a daemon registers its own, names its projects, clones and work trees, and sends heartbeats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from fallback import rules
from fallback.errors import NotInOrganization, WorkstationOffline, WorkstationOfOther
from fallback.models import (
    Organization,
    Project,
    ProjectRepository,
    ProjectWorkstation,
    Workstation,
    WorkstationRepository,
    WorkstationSession,
    WorkstationWorktree,
)
from fallback.models.choices import WorkstationStatus, WorktreeStatus
from fallback.selectors.rights import Right, Rights
from groups.models import Member
from missionsite.common.audit.context import set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.errors import NotAllowed
from missionsite.common.transactions import service


class Clone(NamedTuple):
    """A repository at a path of a workstation: a clone or a work tree."""

    repository: str
    path: str


@service
def register_workstation(
    *, actor: Member, organization: Organization, name: str, daemon_version: str = ""
) -> WorkstationSession:
    """Register the daemon of a workstation: begin a session, and end an earlier one. The workstation is online.

    Raises NotAllowed unless the actor contributes to a project of the organisation, WorkstationOfOther if another
    member has registered this name.
    """
    if not Rights(actor).projects(Right.CONTRIBUTE).filter(organization=organization).exists():
        raise NotAllowed
    set_audit_context(actor)
    at = timezone.now()
    # Locked, so that two daemons of one name get one session each, one after the other.
    Workstation.objects.bulk_create(
        [Workstation(organization=organization, name=name, registered_by=actor)],
        ignore_conflicts=True,
    )
    found = Workstation.objects.get(organization=organization, name=name)
    workstation = Workstation.objects.lock(found.pk)
    if workstation.registered_by_id not in (None, actor.pk):
        raise WorkstationOfOther
    workstation.registered_by, workstation.status, workstation.last_seen_at = actor, WorkstationStatus.ONLINE, at
    workstation.save(update_fields=["registered_by", "status", "last_seen_at"])
    workstation.sessions.filter(ended_at=None).update(ended_at=at)
    session = WorkstationSession.objects.create(workstation=workstation, daemon_version=daemon_version)
    _record("workstation.registered", actor, workstation)
    return session


@service
def map_projects(*, actor: Member, workstation: Workstation, projects: Iterable[str]) -> list[Project]:
    """Set the projects that a workstation works for, by id. Raises NotInOrganization, WorkstationOfOther."""
    current = lock_own(actor, workstation)
    wanted = set(projects)
    visible = Rights(actor).projects(Right.CONTRIBUTE).filter(organization=current.organization_id, status="active")
    found = list(visible.filter(pk__in=wanted).order_by("pk"))
    if len(found) != len(wanted):
        raise NotInOrganization
    current.projects.exclude(project__in=found).delete()
    ProjectWorkstation.objects.bulk_create(
        [ProjectWorkstation(project=project, workstation=current) for project in found], ignore_conflicts=True
    )
    _record("workstation.projects_mapped", actor, current, projects=", ".join(project.name for project in found))
    return found


@service
def record_clones(*, actor: Member, workstation: Workstation, clones: Iterable[Clone]) -> list[WorkstationRepository]:
    """Set the clones of a workstation. Raises NotInOrganization, WorkstationOfOther."""
    current = lock_own(actor, workstation)
    paths = {clone.repository: clone.path for clone in clones}
    repositories = _repositories(actor, current, paths)
    current.repositories.exclude(repository__in=repositories).delete()
    found = [
        WorkstationRepository.objects.update_or_create(
            workstation=current, repository=repository, defaults={"path": paths[repository.pk]}
        )[0]
        for repository in repositories
    ]
    _record(
        "workstation.clones_recorded", actor, current, repositories=", ".join(each.repository.name for each in found)
    )
    return found


@service
def record_worktrees(*, actor: Member, workstation: Workstation, worktrees: Iterable[Clone]) -> list:
    """Add work trees to the pool of a workstation, idle; those at known paths stay as they are.

    Raises NotInOrganization, WorkstationOfOther.
    """
    current = lock_own(actor, workstation)
    given = list(worktrees)
    known = {each.pk: each for each in _repositories(actor, current, {each.repository for each in given})}
    WorkstationWorktree.objects.bulk_create(
        [
            WorkstationWorktree(
                workstation=current,
                repository=known[each.repository],
                path=each.path,
                status=WorktreeStatus.IDLE,
            )
            for each in given
        ],
        ignore_conflicts=True,
    )
    _record("workstation.worktrees_recorded", actor, current, number=len(given))
    return list(current.worktrees.select_related("repository").order_by("path"))


@service
def heartbeat_workstation(*, actor: Member, workstation: Workstation, at: datetime | None = None) -> Workstation:
    """Record that the daemon of a workstation runs. Raises WorkstationOffline after its session ended."""
    current = lock_own(actor, workstation)
    if not current.sessions.filter(ended_at=None).exists():
        raise WorkstationOffline
    current.status, current.last_seen_at = WorkstationStatus.ONLINE, at or timezone.now()
    current.save(update_fields=["status", "last_seen_at"])
    return current


@service
def end_workstation_session(*, actor: Member, workstation: Workstation) -> Workstation:
    """End the session of a workstation's daemon, which is then offline; do nothing if it has ended."""
    current = lock_own(actor, workstation)
    return _end(actor, current, timezone.now())


@service
def time_out_workstation(*, actor: Member, workstation: Workstation, before: datetime) -> Workstation | None:
    """End the session of a workstation that was last seen before a time. Returns None if it was seen since."""
    current = Workstation.objects.lock(workstation.pk)
    if current.last_seen_at and current.last_seen_at >= before:
        return None
    return _end(actor, current, timezone.now())


def time_out_workstations(*, actor: Member, at: datetime | None = None) -> int:
    """Set workstations without a heartbeat for HEARTBEAT_TIMEOUT offline. Returns how many."""
    before = (at or timezone.now()) - rules.HEARTBEAT_TIMEOUT
    silent = Workstation.objects.filter(status=WorkstationStatus.ONLINE, last_seen_at__lt=before).order_by("pk")
    return sum(time_out_workstation(actor=actor, workstation=each, before=before) is not None for each in silent)


def lock_own(actor: Member, workstation: Workstation) -> Workstation:
    """The workstation, locked. Raises WorkstationOfOther unless the actor has registered it."""
    current = Workstation.objects.lock(workstation.pk)
    if current.registered_by_id != actor.pk:
        raise WorkstationOfOther
    return current


def _end(actor: Member, workstation: Workstation, at: datetime) -> Workstation:
    if workstation.sessions.filter(ended_at=None).update(ended_at=at) or workstation.status != "offline":
        workstation.status = WorkstationStatus.OFFLINE
        workstation.save(update_fields=["status"])
        _record("workstation.ended", actor, workstation)
    return workstation


def _repositories(actor: Member, workstation: Workstation, keys: Iterable[str]) -> list[ProjectRepository]:
    """Repositories by id. Raises NotInOrganization unless all are of the workstation's organisation and visible."""
    wanted = set(keys)
    visible = Rights(actor).projects(Right.CONTRIBUTE).filter(organization=workstation.organization_id)
    found = list(ProjectRepository.objects.filter(pk__in=wanted, project__in=visible).order_by("pk"))
    if len(found) != len(wanted):
        raise NotInOrganization
    return found


def _record(type_: str, actor: Member, workstation: Workstation, **payload: object) -> None:
    audit(
        type_,
        actor=actor,
        organization=workstation.organization_id,
        organization_name=workstation.organization.name,
        workstation=workstation.name,
        **payload,
    )
