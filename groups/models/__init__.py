"""People, the groups they stand in, and what happened."""

from groups.models.counters import MissionCount, MissionCounter
from groups.models.events import Event
from groups.models.groups import Colony, Group, Mission
from groups.models.history import GroupHistory, MemberHistory, MembershipHistory, TaskHistory
from groups.models.members import Member
from groups.models.memberships import Membership
from groups.models.tasks import Task

__all__ = [
    "Colony",
    "Event",
    "Group",
    "GroupHistory",
    "Member",
    "MemberHistory",
    "Membership",
    "MembershipHistory",
    "Mission",
    "MissionCount",
    "MissionCounter",
    "Task",
    "TaskHistory",
]
