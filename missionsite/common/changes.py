"""Updating model instances: allowed fields, and saving only what differs."""

from collections.abc import Mapping
from typing import Any


def check_fields(changes: Mapping[str, Any], *names: str) -> None:
    """Raise TypeError for a change of any other field."""
    if unknown := set(changes) - set(names):
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")


def apply_changes(instance: Any, changes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Set fields and save those that differ. Returns {field: [before, after]} with JSON-serialisable values."""
    changed = {}
    for name, after in changes.items():
        before = getattr(instance, name)
        if before != after:
            setattr(instance, name, after)
            changed[name] = [as_json(before), as_json(after)]
    if changed:
        instance.save(update_fields=list(changed))
    return changed


def as_json(value: Any) -> Any:
    """A field's value as it is stored in JSON."""
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)
