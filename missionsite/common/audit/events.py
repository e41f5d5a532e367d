"""Events: each app has a log table of its own, and `audit()` writes to the one that an event is about."""

from collections.abc import Mapping
from typing import Any, Protocol

from django.db.models import Model

from missionsite.common.annotations import StrOrPromise


class Writer(Protocol):
    """Adds an event to the log table of an app, in the transaction of its change."""

    def __call__(self, type_: str, /, *, actor: Model, **fields: Any) -> Model: ...


_writers: dict[str, Writer] = {}
_labels: dict[str, StrOrPromise] = {}
# The link of the log that takes events without a link of their own.
_DEFAULT = ""


def register_log(writer: Writer, *, link: str = _DEFAULT) -> None:
    """Register the log table of an app, in `AppConfig.ready`.

    link: the argument of audit() that selects this log, such as `project`; the log without one takes all other events.
    """
    _writers[link] = writer


def register_event_labels(labels: Mapping[str, StrOrPromise]) -> None:
    """Register the labels of an app's event types, in `AppConfig.ready`."""
    _labels.update(labels)


def event_labels() -> dict[str, str]:
    """Return the label of each registered event type."""
    return {type_: str(label) for type_, label in _labels.items()}


def event_label(type_: str) -> str:
    """Return the label of an event type; one made from its name, if none is registered."""
    return str(_labels.get(type_) or type_.replace(".", ": ").replace("_", " ").capitalize())


def audit(type_: str, *, actor: Model, **fields: Any) -> Model:
    """Record an event in the transaction of its change, and return it.

    type_: noun, dot, past participle, such as `membership.created`. fields: linked rows (`member=`, `group=`,
    `project=`), and the payload as JSON values; empty values are omitted.
    """
    fields = {name: value for name, value in fields.items() if value not in ("", None, {})}
    link = next((link for link in _writers if isinstance(fields.get(link), Model)), _DEFAULT)
    return _writers[link](type_, actor=actor, **fields)


def audit_changes(type_: str, *, actor: Model, changed: Mapping[str, Any], **fields: Any) -> Model | None:
    """Record an edit. Records nothing and returns None when `changed` is empty.

    changed: {field: [before, after]}, or a text instead of values that must not be recorded.
    """
    return audit(type_, actor=actor, changed=changed, **fields) if changed else None
