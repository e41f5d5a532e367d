"""Members, groups, memberships, tasks, the directory and events."""

from groups.models.counters import MissionCount, MissionCounter
from groups.models.custom_fields import CustomField, CustomValue
from groups.models.directory import CommunityMember
from groups.models.events import Event
from groups.models.groups import Colony, Group, Mission
from groups.models.history import (
    CommunityInvitationHistory,
    CommunityMemberHistory,
    GroupHistory,
    MemberHistory,
    MembershipHistory,
    TaskHistory,
)
from groups.models.import_mappings import ImportMapping
from groups.models.invitations import CommunityInvitation, CommunityInvitationUse
from groups.models.join_requests import JoinRequest
from groups.models.members import Member
from groups.models.memberships import Membership
from groups.models.merges import DuplicateStatus, MemberMerge, MergedRow, PossibleDuplicate
from groups.models.participation import MemberDailyHighlight, MemberParticipation
from groups.models.people_jobs import PeopleJob, PeopleJobKind, PeopleJobStatus
from groups.models.relationships import MemberRelationship
from groups.models.returns import CommunityReturn, ReturnStatus
from groups.models.tags import Note, Tag, Tagging
from groups.models.tasks import Task

__all__ = [
    "Colony",
    "CommunityInvitation",
    "CommunityInvitationHistory",
    "CommunityInvitationUse",
    "CommunityMember",
    "CommunityMemberHistory",
    "CommunityReturn",
    "CustomField",
    "CustomValue",
    "DuplicateStatus",
    "Event",
    "Group",
    "GroupHistory",
    "ImportMapping",
    "JoinRequest",
    "Member",
    "MemberDailyHighlight",
    "MemberHistory",
    "MemberMerge",
    "MemberParticipation",
    "MemberRelationship",
    "Membership",
    "MembershipHistory",
    "MergedRow",
    "Mission",
    "MissionCount",
    "MissionCounter",
    "Note",
    "PeopleJob",
    "PeopleJobKind",
    "PeopleJobStatus",
    "PossibleDuplicate",
    "ReturnStatus",
    "Tag",
    "Tagging",
    "Task",
    "TaskHistory",
]
