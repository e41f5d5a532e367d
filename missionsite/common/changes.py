"""Edits: which fields a caller may change, and saving just what differs."""


def only(changes: dict, *names: str) -> None:
    """Raise TypeError for a change that is not one of these."""
    if unknown := set(changes) - set(names):
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")


def apply_changes(instance, changes: dict) -> dict:
    """Set fields on an instance and save just those that differ; returns {field: [before, after]} as JSON can hold."""
    changed = {}
    for name, after in changes.items():
        before = getattr(instance, name)
        if before != after:
            setattr(instance, name, after)
            changed[name] = [as_json(before), as_json(after)]
    if changed:
        instance.save(update_fields=list(changed))
    return changed


def as_json(value):
    """A field's value as a record of changes holds it."""
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)
