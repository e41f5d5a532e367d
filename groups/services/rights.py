"""Roles and passwords, set by administrators."""

from collections.abc import Iterable

from django.contrib.auth.models import Group as Role

from groups.models import Member
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
    return member


@service
def set_password(*, actor: Member, member: Member, password: str | None) -> Member:
    """Set the password of a member; None disables the login by password.

    Raises ConstraintViolated for the system member.
    """
    member.set_password(password)
    member.save(update_fields=["password"])
    audit("member.password_set" if password else "member.password_removed", actor=actor, member=member)
    return member
