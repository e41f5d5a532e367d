"""The roles of members, set by administrators."""

from collections.abc import Iterable

from django.contrib.auth.models import Group as Role

from groups.models import Member
from missionsite.common.accounts.sessions import end_access, end_sessions
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def set_roles(*, actor: Member, member: Member, roles: Iterable[Role]) -> Member:
    """Set the roles of a member, replacing the current ones."""
    before = sorted(member.groups.values_list("name", flat=True))
    roles = list(roles)
    member.groups.set(roles)
    after = sorted(role.name for role in roles)
    if before != after:
        changed = {"roles": [", ".join(before), ", ".join(after)]}
        audit("member.roles_changed", actor=actor, member=member, changed=changed)
        if set(before) - set(after):
            end_access(actor=actor, member=member, reason="role")
        else:
            # The next log-in asks for a second factor, if a new role requires one.
            end_sessions(member=member)
    return member
