"""The API of workstations: what a daemon calls, with a token of its own scope."""

from datetime import datetime
from typing import Literal

from django.http import Http404
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field

from fallback import rules
from fallback.api.base import ULID, StrictSchema, fields_of, router
from fallback.api.documents import MissionDocumentIn, MissionDocumentOut, document_out
from fallback.models import CodeAgentSession, Organization, Workstation
from fallback.scopes import WORKSTATIONS_RUN
from fallback.selectors.rights import Right, Rights
from fallback.selectors.workstations import visible_workstations
from fallback.services import agent_sessions as sessions
from fallback.services import workstations as services
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import needs

WorkstationKey = Path(..., description="Id of the workstation.", examples=[ULID], max_length=26)
SessionKey = Path(..., description="Id of the agent's session.", examples=[ULID], max_length=26)
CLONES = [{"repository": ULID, "path": "/home/ada/site"}]
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\S[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


def _example_of(schema: type[Schema]) -> dict:
    """The first example of each field."""
    return {name: (field.examples or [None])[0] for name, field in schema.model_fields.items()}


class WorkstationOut(Schema):
    """A workstation."""

    id: str = Field(examples=[ULID])
    organization: str = Field(examples=[ULID])
    name: str = Field(examples=["studio-1"])
    status: str = Field(description="`online` or `offline`.", examples=["online"])
    last_seen_at: datetime | None = Field(examples=["2026-11-20T09:30:00Z"])
    heartbeat_seconds: int = Field(description="Send a heartbeat at least this often.", examples=[60])


class WorkstationIn(StrictSchema):
    organization: str = Field(max_length=26, description="Id of the organisation.", examples=[ULID])
    name: str = Field(max_length=255, pattern=ONE_LINE, examples=["studio-1"])
    daemon_version: str = Field("", max_length=64, examples=["1.4.0"])


class WorkstationProjects(StrictSchema):
    projects: list[str] = Field(max_length=rules.WORKSTATION_PARTS, description="Ids of projects.", examples=[[ULID]])


class WorkstationClone(StrictSchema):
    repository: str = Field(max_length=26, description="Id of the repository.", examples=[ULID])
    path: str = Field(max_length=1_000, pattern=ONE_LINE, examples=["/home/ada/site"])


class WorkstationClones(StrictSchema):
    clones: list[WorkstationClone] = Field(max_length=rules.WORKSTATION_PARTS, examples=[CLONES])


class WorkstationWorktrees(StrictSchema):
    worktrees: list[WorkstationClone] = Field(max_length=rules.WORKSTATION_PARTS, examples=[CLONES])


class AgentClaim(StrictSchema):
    agent: str = Field(max_length=120, pattern=ONE_LINE, examples=["claude-code"])


class AgentMission(Schema):
    """The mission that an agent works on."""

    id: str = Field(examples=[ULID])
    project: str = Field(examples=[ULID])
    title: str = Field(examples=["Write the welcome page"])
    description: str = Field(examples=["One page, in plain language."])
    clarification: str = Field(examples=[""])
    persona: str = Field(description="Name of the actor to work as; empty for none.", examples=["Writer"])
    repository: str | None = Field(description="Its name, such as owner/name.", examples=["acme/site"])
    target_branch: str = Field(examples=["main"])
    pr_mode: str = Field(description="`disabled`, `enabled` or `auto`.", examples=["auto"])
    pr_branch_name: str = Field(description="The branch to push to.", examples=[f"mission/{ULID}"])
    github_pr_number: int | None = Field(examples=[7])
    list: str = Field(examples=["doing"])
    agent_session_status: str = Field(description="`inactive`, `pushing` or `active`.", examples=["pushing"])
    solution_path: str = Field(examples=[""])
    tasks_path: str = Field(examples=[""])


class AgentSessionOut(Schema):
    """A session of an agent."""

    id: str = Field(examples=[ULID])
    workstation: str = Field(examples=[ULID])
    agent: str = Field(examples=["claude-code"])
    status: str = Field(
        description="`running`, `succeeded`, `failed`, `cancelled` or `timed_out`.", examples=["running"]
    )
    started_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    last_heartbeat_at: datetime = Field(examples=["2026-11-20T09:31:00Z"])
    ended_at: datetime | None = Field(examples=[None])
    log_bytes: int = Field(description="The offset of the next part of the log.", examples=[0])
    worktree: str | None = Field(description="Path of the work tree for the mission.", examples=["/home/ada/site-1"])
    mission: AgentMission = Field(examples=[_example_of(AgentMission)])


class AgentClaimed(Schema):
    """The session that began; null without a ready mission."""

    session: AgentSessionOut | None = Field(examples=[_example_of(AgentSessionOut)])


class AgentLogPart(StrictSchema):
    offset: int = Field(ge=0, le=rules.AGENT_LOG_BYTES, description="Bytes of the log so far.", examples=[0])
    text: str = Field(max_length=rules.AGENT_LOG_PART, examples=["Running the tests\n"])


class AgentPullRequest(StrictSchema):
    number: int = Field(ge=1, le=2_000_000_000, examples=[7])
    title: str = Field("", max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", examples=["Add a page"])


class AgentResult(StrictSchema):
    status: Literal["succeeded", "failed", "cancelled"] = Field(examples=["succeeded"])
    error: str = Field("", max_length=2_000, examples=[""])


def find_workstation(request: SiteRequest, key: str) -> Workstation:
    """A workstation that the caller sees. Raises Http404."""
    if found := visible_workstations(Rights(request.auth.member)).filter(pk=key).first():
        return found
    raise Http404(gettext("Workstation {id} not found.").format(id=key))


def find_session(request: SiteRequest, key: str) -> CodeAgentSession:
    """A session of a mission that the caller sees. Raises Http404."""
    visible = Rights(request.auth.member).project_filter(Right.VIEW, path="mission__project__")
    if found := CodeAgentSession.objects.filter(visible, pk=key).select_related("mission").first():
        return found
    raise Http404(gettext("Session {id} not found.").format(id=key))


@router.get("/workstations", response=list[WorkstationOut], summary="List workstations")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def list_workstations(request: SiteRequest) -> list[dict]:
    """The workstations of your organisations: the 200 that were seen last."""
    found = visible_workstations(Rights(request.auth.member)).order_by("-last_seen_at", "pk")
    return [workstation_out(each) for each in found[: rules.WORKSTATION_PARTS]]


@router.post("/workstations", response={201: WorkstationOut}, summary="Register a workstation")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def register_workstation(request: SiteRequest, body: WorkstationIn) -> Status:
    """Begin a session of a daemon. Registering the same name again ends the earlier session."""
    rights = Rights(request.auth.member)
    organization = Organization.objects.filter(
        pk=body.organization, projects__in=rights.projects(Right.CONTRIBUTE)
    ).first()
    if organization is None:
        raise Http404(gettext("Organisation {id} not found.").format(id=body.organization))
    session = services.register_workstation(
        actor=request.auth.member,
        organization=organization,
        name=body.name.strip(),
        daemon_version=body.daemon_version,
    )
    return Status(201, workstation_out(session.workstation))


@router.get("/workstations/{workstation}", response=WorkstationOut, summary="Show a workstation")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def get_workstation(request: SiteRequest, workstation: str = WorkstationKey) -> dict:
    """One workstation."""
    return workstation_out(find_workstation(request, workstation))


@router.post("/workstations/{workstation}/heartbeat", response=WorkstationOut, summary="Send a heartbeat")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def heartbeat_workstation(request: SiteRequest, workstation: str = WorkstationKey) -> dict:
    """Report that the daemon runs."""
    found = find_workstation(request, workstation)
    return workstation_out(services.heartbeat_workstation(actor=request.auth.member, workstation=found))


@router.put("/workstations/{workstation}/projects", response=WorkstationProjects, summary="Set the projects")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def set_workstation_projects(
    request: SiteRequest, body: WorkstationProjects, workstation: str = WorkstationKey
) -> dict:
    """Set the projects whose missions the workstation claims."""
    found = find_workstation(request, workstation)
    mapped = services.map_projects(actor=request.auth.member, workstation=found, projects=body.projects)
    return {"projects": [project.pk for project in mapped]}


@router.put("/workstations/{workstation}/clones", response=WorkstationClones, summary="Set the clones")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def set_workstation_clones(request: SiteRequest, body: WorkstationClones, workstation: str = WorkstationKey) -> dict:
    """Set the repositories that the workstation has cloned."""
    found = find_workstation(request, workstation)
    clones = services.record_clones(
        actor=request.auth.member,
        workstation=found,
        clones=[services.Clone(each.repository, each.path) for each in body.clones],
    )
    return {"clones": [{"repository": each.repository_id, "path": each.path} for each in clones]}


@router.put("/workstations/{workstation}/worktrees", response=WorkstationWorktrees, summary="Add work trees")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def add_workstation_worktrees(
    request: SiteRequest, body: WorkstationWorktrees, workstation: str = WorkstationKey
) -> dict:
    """Add work trees to the pool of the workstation; a claimed mission borrows an idle one of its repository."""
    found = find_workstation(request, workstation)
    worktrees = services.record_worktrees(
        actor=request.auth.member,
        workstation=found,
        worktrees=[services.Clone(each.repository, each.path) for each in body.worktrees],
    )
    return {"worktrees": [{"repository": each.repository_id, "path": each.path} for each in worktrees]}


@router.post("/workstations/{workstation}/claim", response=AgentClaimed, summary="Claim the next ready mission")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def claim_next_mission(request: SiteRequest, body: AgentClaim, workstation: str = WorkstationKey) -> dict:
    """Claim the next ready mission of the workstation's projects for an agent. It moves to Doing."""
    found = find_workstation(request, workstation)
    session = sessions.claim_mission(actor=request.auth.member, workstation=found, agent=body.agent.strip())
    return {"session": session_out(session) if session else None}


@router.post("/workstations/{workstation}/end", response=WorkstationOut, summary="End the daemon's session")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def end_workstation(request: SiteRequest, workstation: str = WorkstationKey) -> dict:
    """Set the workstation offline."""
    found = find_workstation(request, workstation)
    return workstation_out(services.end_workstation_session(actor=request.auth.member, workstation=found))


@router.get("/agent-sessions/{session}", response=AgentSessionOut, summary="Show a session")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def get_agent_session(request: SiteRequest, session: str = SessionKey) -> dict:
    """One session with its mission."""
    return session_out(find_session(request, session))


@router.post("/agent-sessions/{session}/start", response=AgentSessionOut, summary="Start work")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def start_agent_session(request: SiteRequest, session: str = SessionKey) -> dict:
    """Report that the agent has its mission and works: `agent_session_status` becomes `active`."""
    return session_out(sessions.start_session(actor=request.auth.member, session=find_session(request, session)))


@router.post("/agent-sessions/{session}/heartbeat", response=AgentSessionOut, summary="Send a heartbeat of an agent")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def heartbeat_agent_session(request: SiteRequest, session: str = SessionKey) -> dict:
    """Report that the agent still works. A session without heartbeats for five minutes ends."""
    return session_out(sessions.heartbeat_session(actor=request.auth.member, session=find_session(request, session)))


@router.put("/agent-sessions/{session}/document", response=MissionDocumentOut, summary="Save a document as agent")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def save_agent_document(request: SiteRequest, body: MissionDocumentIn, session: str = SessionKey) -> dict:
    """Save a version of a document of the session's mission. 409 `document_changed` as for people."""
    return document_out(
        sessions.save_session_document(
            actor=request.auth.member,
            session=find_session(request, session),
            name=body.name,
            content=body.content,
            based_on=body.based_on,
        )
    )


@router.post("/agent-sessions/{session}/log", response=AgentSessionOut, summary="Append to the log")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def append_agent_log(request: SiteRequest, body: AgentLogPart, session: str = SessionKey) -> dict:
    """Append a part to the log, at most 2 MB in all. 409 `log_offset_wrong` names the offset to continue from."""
    found = sessions.append_log(
        actor=request.auth.member, session=find_session(request, session), offset=body.offset, text=body.text
    )
    return session_out(found)


@router.post("/agent-sessions/{session}/pull-request", response=AgentSessionOut, summary="Record the pull request")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def open_agent_pull_request(request: SiteRequest, body: AgentPullRequest, session: str = SessionKey) -> dict:
    """Record the pull request that the agent opened, if `pr_mode` allows one."""
    found = find_session(request, session)
    sessions.open_pull_request(actor=request.auth.member, session=found, number=body.number, title=body.title)
    found.refresh_from_db()
    return session_out(found)


@router.post("/agent-sessions/{session}/end", response=AgentSessionOut, summary="End a session")
@needs(WORKSTATIONS_RUN, checks_rights=True)
def end_agent_session(request: SiteRequest, body: AgentResult, session: str = SessionKey) -> dict:
    """End with a result. After success the mission moves to Review or Done, otherwise back to Todo."""
    found = sessions.end_session(
        actor=request.auth.member,
        session=find_session(request, session),
        status=body.status,
        error=body.error,
    )
    return session_out(found)


def workstation_out(workstation: Workstation) -> dict:
    return {
        **fields_of(workstation, "id", "name", "status", "last_seen_at"),
        "organization": workstation.organization_id,
        "heartbeat_seconds": int(rules.HEARTBEAT_TIMEOUT.total_seconds() // 5),
    }


def session_out(session: CodeAgentSession) -> dict:
    mission = type(session.mission).objects.select_related("actor", "repository").get(pk=session.mission_id)
    worktree = mission.worktrees.filter(workstation=session.workstation_id).first()
    return {
        **fields_of(session, "id", "agent", "status", "started_at", "last_heartbeat_at", "ended_at", "log_bytes"),
        "workstation": session.workstation_id or "",
        "worktree": worktree.path if worktree else None,
        "mission": {
            **fields_of(mission, "id", "title", "description", "clarification", "target_branch", "pr_mode", "list"),
            **fields_of(mission, "pr_branch_name", "github_pr_number", "agent_session_status"),
            **fields_of(mission, "solution_path", "tasks_path"),
            "project": mission.project_id,
            "persona": mission.actor.name if mission.actor else "",
            "repository": mission.repository.name if mission.repository else None,
        },
    }
