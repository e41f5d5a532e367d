"""History tables: a copy of each row after each change, written by statement-level triggers.

`pgh_obj` is the row, `pgh_label` the operation (insert, update, delete), `pgh_context` the actor and the address.
"""

from django.db import models

from groups.models.directory import CommunityMember
from groups.models.groups import Group
from groups.models.invitations import CommunityInvitation
from groups.models.members import Member
from groups.models.memberships import Membership
from groups.models.tasks import Task
from missionsite.common.audit.history import history_of


class MemberHistory(history_of(Member, exclude=("password", "last_login"))):
    """Changes of members, without passwords and logins."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "members_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="members_history_of")]


class GroupHistory(history_of(Group)):
    """Changes of missions and colonies."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "groups_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="groups_history_of")]


class MembershipHistory(history_of(Membership)):
    """Changes of memberships."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "memberships_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="memberships_history_of")]


class TaskHistory(history_of(Task)):
    """Changes of tasks."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "tasks_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="tasks_history_of")]


class CommunityMemberHistory(history_of(CommunityMember, exclude=("last_active_at", "reputation_tier"))):
    """Changes of directory entries, without the last activity and the tier, which is derived from the score."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "community_members_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="community_members_history_of")]


class CommunityInvitationHistory(history_of(CommunityInvitation)):
    """Changes of invitations."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "community_invitations_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="invitations_history_of")]
