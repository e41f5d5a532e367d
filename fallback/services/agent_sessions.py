"""Sessions of agents: claim the next ready mission, work on it with heartbeats, and end with a result."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from fallback import rules
from fallback.errors import (
    LogOffsetWrong,
    MissionWithoutRepository,
    PullRequestMissing,
    PullRequestsDisabled,
    SessionEnded,
    WorkstationOffline,
    WorkstationOfOther,
)
from fallback.models import CodeAgentSession, GithubPullRequest, Mission, MissionDocumentVersion, Workstation
from fallback.models.choices import (
    AgentSessionStatus,
    AgentStatus,
    List,
    PrMode,
    PullRequestState,
    WorktreeStatus,
)
from fallback.selectors.rights import Right, Rights
from fallback.services.documents import save_document
from fallback.services.locks import lock_board, lock_rows
from fallback.services.missions import list_order_at_end
from fallback.services.pull_requests import address_of, link_pull_request
from fallback.services.workstations import lock_own
from groups.models import Member
from missionsite.common import documents
from missionsite.common.audit.context import Origin, set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service

# Missions that a claim tries before it returns none; each is taken by another agent meanwhile.
CLAIM_TRIES = 100
LOGS = "logs"


def log_path_of(session_id: str) -> str:
    """The path of the log of a session in the document store."""
    return f"{LOGS}/{session_id}.log"


def claimable_missions(workstation: Workstation, member: Member) -> QuerySet[Mission]:
    """Ready missions of the projects of a workstation that no agent works on, in the order in which they are claimed.

    A mission with a repository needs a clone of it on the workstation.
    """
    cloned = workstation.repositories.values("repository")
    return (
        Mission.objects.filter(
            Rights(member).project_filter(Right.CONTRIBUTE, path="project__"),
            Q(repository__isnull=True) | Q(repository__in=cloned),
            project__in=workstation.projects.values("project"),
            project__status="active",
            agent_session_status=AgentStatus.INACTIVE,
            **rules.BACKLOG,
        )
        .exclude(agent_sessions__status=AgentSessionStatus.RUNNING)
        .order_by("-priority", "list_order", "id")
    )


@service
def claim_mission(*, actor: Member, workstation: Workstation, agent: str) -> CodeAgentSession | None:
    """Claim the next ready mission for an agent: it moves to Doing, and a session begins. None if there is none.

    The agent's status is `pushing` until start_session(). Raises WorkstationOffline, WorkstationOfOther.
    """
    set_audit_context(actor, origin=Origin.AGENT)
    lock_rows()
    if workstation.registered_by_id != actor.pk:
        raise WorkstationOfOther
    if not workstation.sessions.filter(ended_at=None).exists():
        raise WorkstationOffline
    ready = claimable_missions(workstation, actor)
    for mission_id, project_id in list(ready.values_list("pk", "project_id")[:CLAIM_TRIES]):
        # One claim of a board at a time: the next one reads what this one has changed.
        lock_board(project_id)
        mission = ready.filter(pk=mission_id).select_for_update(of=("self",), no_key=True).first()
        if mission is not None:
            return _begin(actor, workstation, mission, agent)
    return None


@service
def start_session(*, actor: Member, session: CodeAgentSession) -> CodeAgentSession:
    """Record that the agent has received its mission and works: its status is `active`. Raises SessionEnded."""
    set_audit_context(actor, origin=Origin.AGENT)
    mission, current = _lock(actor, session)
    _set_agent(mission, AgentStatus.ACTIVE)
    _beat(current)
    return current


@service
def heartbeat_session(*, actor: Member, session: CodeAgentSession) -> CodeAgentSession:
    """Record that the agent still works. Raises SessionEnded."""
    current = _lock_session(actor, session)
    _beat(current)
    return current


@service
def save_session_document(
    *, actor: Member, session: CodeAgentSession, name: str, content: str, based_on: int
) -> MissionDocumentVersion:
    """Save a document of the session's mission, by the agent. Raises SessionEnded, and what save_document() raises."""
    mission, current = _lock(actor, session)
    _beat(current)
    return save_document(
        actor=actor, mission=mission, name=name, content=content, based_on=based_on, origin=Origin.AGENT
    )


@service
def append_log(*, actor: Member, session: CodeAgentSession, offset: int, text: str) -> CodeAgentSession:
    """Append to the log of a session. offset: its bytes so far; a repeated part changes nothing.

    Raises SessionEnded, LogOffsetWrong, and the error of the constraint for a log that is too long.
    """
    current = _lock_session(actor, session)
    path, part = log_path_of(current.pk), text.encode()
    try:
        log = documents.read(path, at_most=rules.AGENT_LOG_BYTES)
    except documents.NoSuchDocument:
        log = b""
    # The file may have a part whose transaction was not committed.
    log = log[: current.log_bytes]
    if offset > len(log) or (offset < len(log) and log[offset : offset + len(part)] != part):
        raise LogOffsetWrong(len(log))
    if offset == len(log) and part:
        if len(log) + len(part) > rules.AGENT_LOG_BYTES:
            raise violated("code_agent_sessions_log_size")
        documents.write(path, log + part)
        current.log_path, current.log_bytes = path, len(log) + len(part)
    _beat(current, "log_path", "log_bytes")
    return current


@service
def open_pull_request(*, actor: Member, session: CodeAgentSession, number: int, title: str = "") -> GithubPullRequest:
    """Record the pull request that an agent opened on the branch of its mission.

    Raises SessionEnded, PullRequestsDisabled, MissionWithoutRepository, and what link_pull_request() raises.
    """
    set_audit_context(actor, origin=Origin.AGENT)
    lock_rows()
    mission, current = _lock(actor, session)
    if mission.pr_mode == PrMode.DISABLED:
        raise PullRequestsDisabled
    if mission.repository is None:
        raise MissionWithoutRepository
    linked = link_pull_request(
        actor=actor,
        url=address_of(mission.repository, number),
        mission=mission,
        title=title,
        branch=mission.pr_branch_name,
    )
    mission.github_pr_number = number
    mission.save(update_fields=["github_pr_number"])
    _beat(current)
    return linked


@service
def end_session(
    *,
    actor: Member,
    session: CodeAgentSession,
    status: str,
    error: str = "",
) -> CodeAgentSession:
    """End a session: with `succeeded`, the mission moves to Review or Done; otherwise back to Todo.

    It moves to Review if it requires a review or has an open pull request. Raises SessionEnded, PullRequestMissing.
    """
    set_audit_context(actor, origin=Origin.AGENT)
    lock_rows()
    lock_board(session.mission.project_id)
    mission, current = _lock(actor, session)
    if (
        status == AgentSessionStatus.SUCCEEDED
        and mission.pr_mode == PrMode.ENABLED
        and mission.repository_id
        and not mission.pull_requests.exists()
    ):
        raise PullRequestMissing
    return _end(actor, mission, current, status, error)


@service
def time_out_session(*, actor: Member, session: CodeAgentSession, before: datetime) -> CodeAgentSession | None:
    """End a session whose last heartbeat was before a time. Returns None if there was one since."""
    set_audit_context(actor)
    lock_rows()
    lock_board(session.mission.project_id)
    mission = Mission.objects.lock(session.mission_id, "project", no_key=True)
    current = CodeAgentSession.objects.lock(session.pk)
    if not current.is_running or current.last_heartbeat_at >= before:
        return None
    return _end(actor, mission, current, AgentSessionStatus.TIMED_OUT, "")


def time_out_sessions(*, actor: Member, at: datetime | None = None) -> int:
    """End the sessions without a heartbeat for HEARTBEAT_TIMEOUT. Returns how many."""
    before = (at or timezone.now()) - rules.HEARTBEAT_TIMEOUT
    silent = CodeAgentSession.objects.filter(status=AgentSessionStatus.RUNNING, last_heartbeat_at__lt=before)
    sessions = silent.select_related("mission").order_by("pk")
    return sum(time_out_session(actor=actor, session=each, before=before) is not None for each in sessions)


def delete_orphaned_logs(*, at: datetime | None = None) -> int:
    """Delete logs whose session was deleted with its mission. Returns how many."""
    before, removed = (at or timezone.now()) - rules.HEARTBEAT_TIMEOUT, 0
    for path in documents.names(LOGS):
        key = path.removeprefix(f"{LOGS}/").removesuffix(".log")
        if not CodeAgentSession.objects.filter(pk=key).exists() and documents.modified_at(path) < before:
            documents.delete(path)
            removed += 1
    return removed


def _begin(actor: Member, workstation: Workstation, mission: Mission, agent: str) -> CodeAgentSession:
    current = lock_own(actor, workstation)
    mission.list_order = list_order_at_end(mission.project, List.DOING)
    mission.list, mission.agent_session_status = List.DOING, AgentStatus.PUSHING
    if mission.repository_id and mission.pr_mode != PrMode.DISABLED and not mission.pr_branch_name:
        mission.pr_branch_name = f"mission/{mission.pk}"
    mission.save(update_fields=["list", "list_order", "agent_session_status", "pr_branch_name"])
    session = CodeAgentSession.objects.create(mission=mission, workstation=current, agent=agent)
    worktree = (
        current.worktrees.filter(repository=mission.repository_id, status=WorktreeStatus.IDLE).order_by("path").first()
        if mission.repository_id
        else None
    )
    if worktree:
        worktree.mission, worktree.status, worktree.branch = mission, WorktreeStatus.ACTIVE, mission.pr_branch_name
        worktree.save(update_fields=["mission", "status", "branch"])
    _record("agent_session.started", actor, mission, session, workstation=current.name)
    return session


def _end(actor: Member, mission: Mission, session: CodeAgentSession, status: str, error: str) -> CodeAgentSession:
    session.status, session.error, session.ended_at = AgentSessionStatus(status), error, timezone.now()
    session.save(update_fields=["status", "error", "ended_at"])
    mission.worktrees.filter(workstation=session.workstation_id).update(mission=None, status=WorktreeStatus.IDLE)
    mission.agent_session_status = AgentStatus.INACTIVE
    # A person may have moved the mission meanwhile: then it stays where it is.
    if mission.list == List.DOING:
        mission.list = _list_after(mission, session)
        mission.list_order = list_order_at_end(mission.project, mission.list)
        ended = mission.agent_sessions.exclude(status__in=(AgentSessionStatus.RUNNING, AgentSessionStatus.SUCCEEDED))
        if mission.list == List.TODO and ended.count() >= rules.AGENT_ATTEMPTS:
            mission.ready = False
    mission.save(update_fields=["agent_session_status", "list", "list_order", "ready"])
    _record("agent_session.ended", actor, mission, session, status=session.status)
    return session


def _list_after(mission: Mission, session: CodeAgentSession) -> str:
    if session.status != AgentSessionStatus.SUCCEEDED:
        return List.TODO
    if mission.requires_review or mission.pull_requests.filter(state=PullRequestState.OPEN).exists():
        return List.REVIEW
    return List.DONE


def _lock(actor: Member, session: CodeAgentSession) -> tuple[Mission, CodeAgentSession]:
    """The mission and the running session, locked in this order. Raises SessionEnded, WorkstationOfOther."""
    lock_rows()
    mission = Mission.objects.lock(session.mission_id, "project", "repository", no_key=True)
    Rights(actor).check(Right.CONTRIBUTE, mission.project)
    return mission, _lock_session(actor, session)


def _lock_session(actor: Member, session: CodeAgentSession) -> CodeAgentSession:
    current = CodeAgentSession.objects.lock(session.pk, "workstation")
    if current.workstation is None or current.workstation.registered_by_id != actor.pk:
        raise WorkstationOfOther
    if not current.is_running:
        raise SessionEnded
    return current


def _set_agent(mission: Mission, status: AgentStatus) -> None:
    mission.agent_session_status = status
    mission.save(update_fields=["agent_session_status"])


def _beat(session: CodeAgentSession, *fields: str) -> None:
    session.last_heartbeat_at = timezone.now()
    session.save(update_fields=["last_heartbeat_at", *fields])


def _record(type_: str, actor: Member, mission: Mission, session: CodeAgentSession, **payload: object) -> None:
    audit(
        type_,
        actor=actor,
        project=mission.project,
        mission=mission.pk,
        title=mission.title,
        session=session.pk,
        agent=session.agent,
        **payload,
    )
