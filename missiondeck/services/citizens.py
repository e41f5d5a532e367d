"""Citizens: adding and changing them."""

from __future__ import annotations

from groups.models import Member
from missiondeck.models import Citizen
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service

FIELDS = ("name", "role", "position", "is_enabled")


@service
def add_citizen(*, actor: Member, key: str, name: str, **more: str | int | bool) -> Citizen:
    """Add a citizen. more: role, position, is_enabled.

    Raises ConstraintViolated (citizen_key_invalid, citizen_key_taken, name_missing, citizen_taken).
    """
    check_fields(more, *FIELDS)
    made = Citizen.objects.create(key=key, name=name, **more)
    audit("citizen.created", actor=actor, citizen=made.key, name=made.name)
    return made


@service
def change_citizen(*, actor: Member, citizen: Citizen, **changes: str | int | bool) -> Citizen:
    """Change a citizen, or disable it. Raises ConstraintViolated (name_missing, citizen_taken, tester_disabled)."""
    check_fields(changes, *FIELDS)
    current = Citizen.objects.lock(citizen.pk)
    if changed := apply_changes(current, changes):
        audit("citizen.changed", actor=actor, citizen=current.key, name=current.name, changed=changed)
    return current
