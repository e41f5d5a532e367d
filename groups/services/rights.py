"""What staff may do: roles and passwords, given by administrators at their own door."""

from collections.abc import Iterable

from django.contrib.auth.models import Group as Role

from groups.models import Member
from groups.services.events import record
from missionsite.common.transactions import service


@service
def set_roles(*, member: Member, roles: Iterable[Role], actor: Member | None = None) -> Member:
    """Give a member exactly these roles."""
    before = sorted(member.groups.values_list("name", flat=True))
    roles = list(roles)
    member.groups.set(roles)
    after = sorted(role.name for role in roles)
    if before != after:
        changed = {"roles": [", ".join(before), ", ".join(after)]}
        record("member.roles_changed", actor=actor, member=member, changed=changed)
    return member


@service
def set_password(*, member: Member, password: str | None, actor: Member | None = None) -> Member:
    """Set what a member logs in with; None: no one can log in as them. Raises SystemMemberLocked."""
    member.set_password(password)
    member.save(update_fields=["password"])
    record("member.password_set" if password else "member.password_removed", actor=actor, member=member)
    return member
