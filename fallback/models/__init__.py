"""Projects, boards, and the fallback that proposes missions."""

from fallback.models.absences import MemberAbsence
from fallback.models.access import AccessRequest
from fallback.models.agent_sessions import CodeAgentSession
from fallback.models.assignments import MissionAssignment, MissionStar
from fallback.models.comments import MissionComment
from fallback.models.configs import MissionFallbackAllowance, MissionFallbackConfig, MissionFallbackSample
from fallback.models.documents import MissionDocumentVersion
from fallback.models.flows import Actor, Flow
from fallback.models.library import TemplateCopy
from fallback.models.metrics import BacklogRollup, MetricsRefresh, MissionForecast, ProposalRollup
from fallback.models.missions import Mission, MissionDependency, MissionEvent
from fallback.models.notifications import Notification, NotificationPreference, NotificationSettings
from fallback.models.organizations import Organization, OrganizationMembership
from fallback.models.projects import Project, ProjectActivity, ProjectMember, ProjectRepository
from fallback.models.pull_requests import (
    GithubCheckRun,
    GithubDelivery,
    GithubPrComment,
    GithubPrReview,
    GithubPullRequest,
)
from fallback.models.runs import MissionFallbackItem, MissionFallbackRun
from fallback.models.schema_only import AuditEvent, ProjectStar
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
    "BacklogRollup",
    "CodeAgentSession",
    "Flow",
    "GithubCheckRun",
    "GithubDelivery",
    "GithubPrComment",
    "GithubPrReview",
    "GithubPullRequest",
    "MemberAbsence",
    "MetricsRefresh",
    "Mission",
    "MissionAssignment",
    "MissionComment",
    "MissionDependency",
    "MissionDocumentVersion",
    "MissionEvent",
    "MissionFallbackAllowance",
    "MissionFallbackConfig",
    "MissionFallbackItem",
    "MissionFallbackRun",
    "MissionFallbackSample",
    "MissionFallbackTemplate",
    "MissionForecast",
    "MissionStar",
    "Notification",
    "NotificationPreference",
    "NotificationSettings",
    "Organization",
    "OrganizationMembership",
    "Project",
    "ProjectActivity",
    "ProjectMember",
    "ProjectRepository",
    "ProjectStar",
    "ProjectWorkstation",
    "ProposalRollup",
    "TemplateCopy",
    "Workstation",
    "WorkstationRepository",
    "WorkstationSession",
    "WorkstationWorktree",
]
