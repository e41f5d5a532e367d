"""How the audit identifies objects: by their stable ID, where they have one."""

_identified: dict[str, str] = {}


def register_audit_identity(object_type: str, field: str) -> None:
    """Register the field with which the audit identifies the objects of a kind: `groups.member`, `member_id`."""
    _identified[object_type] = field


def identity_of(object_type: str) -> str:
    """Return the field with which the audit identifies the objects of a kind; `pk` if none is registered."""
    return _identified.get(object_type, "pk")
