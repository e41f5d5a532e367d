"""History tables: a copy of each row after each change, written by statement-level triggers.

`pgh_obj` is the row, `pgh_label` the operation (insert, update, delete), `pgh_context` the actor and the address.
"""

from typing import Any

from django.db import models

from groups.models.directory import CommunityMember
from groups.models.groups import Group
from groups.models.invitations import CommunityInvitation
from groups.models.members import Member
from groups.models.memberships import Membership
from groups.models.tasks import Task
from missionsite.common.audit.history import history_of

_MemberHistory: Any = history_of(Member, exclude=("password", "last_login"))


class MemberHistory(_MemberHistory, models.Model):
    """Changes of members, without passwords and logins."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "members_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="members_history_of")]


_GroupHistory: Any = history_of(Group)


class GroupHistory(_GroupHistory, models.Model):
    """Changes of missions and colonies."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "groups_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="groups_history_of")]


_MembershipHistory: Any = history_of(Membership)


class MembershipHistory(_MembershipHistory, models.Model):
    """Changes of memberships."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "memberships_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="memberships_history_of")]


_TaskHistory: Any = history_of(Task)


class TaskHistory(_TaskHistory, models.Model):
    """Changes of tasks."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "tasks_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="tasks_history_of")]


_CommunityMemberHistory: Any = history_of(CommunityMember, exclude=("last_active_at", "reputation_tier"))


class CommunityMemberHistory(_CommunityMemberHistory, models.Model):
    """Changes of directory entries, without the last activity and the tier, which is derived from the score."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "community_members_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="community_members_history_of")]


_CommunityInvitationHistory: Any = history_of(CommunityInvitation, exclude=("uses",))


class CommunityInvitationHistory(_CommunityInvitationHistory, models.Model):
    """Changes of invitations, without the count of uses."""

    objects = models.Manager()
    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "community_invitations_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="invitations_history_of")]
