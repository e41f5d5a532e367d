"""Projects, boards, and the fallback that proposes missions."""

from fallback.models.agents import CodeAgentSession, GithubPrComment, GithubPullRequest
from fallback.models.configs import MissionFallbackAllowance, MissionFallbackConfig, MissionFallbackSample
from fallback.models.flows import Actor, Flow
from fallback.models.missions import Mission, MissionDependency, MissionEvent
from fallback.models.notices import AccessRequest, AuditEvent, Notification, NotificationPreference
from fallback.models.organizations import Organization, OrganizationMembership
from fallback.models.projects import Project, ProjectActivity, ProjectMember, ProjectRepository, ProjectStar
from fallback.models.runs import MissionFallbackItem, MissionFallbackRun
from fallback.models.templates import MissionFallbackTemplate
from fallback.models.workstations import (
    ProjectWorkstation,
    Workstation,
    WorkstationRepository,
    WorkstationSession,
    WorkstationWorktree,
)

__all__ = [
    "AccessRequest",
    "Actor",
    "AuditEvent",
    "CodeAgentSession",
    "Flow",
    "GithubPrComment",
    "GithubPullRequest",
    "Mission",
    "MissionDependency",
    "MissionEvent",
    "MissionFallbackAllowance",
    "MissionFallbackConfig",
    "MissionFallbackItem",
    "MissionFallbackRun",
    "MissionFallbackSample",
    "MissionFallbackTemplate",
    "Notification",
    "NotificationPreference",
    "Organization",
    "OrganizationMembership",
    "Project",
    "ProjectActivity",
    "ProjectMember",
    "ProjectRepository",
    "ProjectStar",
    "ProjectWorkstation",
    "Workstation",
    "WorkstationRepository",
    "WorkstationSession",
    "WorkstationWorktree",
]
