"""Events: each app has a log table of its own, and `audit()` writes to the one that an event is about."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.db.models import Choices, Model
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext

from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.security import mirror

# Adds an event to the log table of an app, in the transaction of its change, given the type of the event, `actor=`,
# the link of the log, and the payload.
Writer = Callable[..., Model]

_writers: dict[str, Writer] = {}
_labels: dict[str, StrOrPromise] = {}
# The label of a field of a payload, or its label and its choices.
EventField = StrOrPromise | tuple[StrOrPromise, type[Choices] | Mapping[str, StrOrPromise]]
_fields: dict[str, EventField] = {}
_hidden: set[str] = set()
# The app that registered each event type.
_apps: dict[str, str] = {}
_LONGEST_VALUE = 200
# The link of the log that takes events without a link of their own.
_DEFAULT = ""


def register_log(writer: Writer, *, link: str = _DEFAULT) -> None:
    """Register the log table of an app, in `AppConfig.ready`.

    link: the argument of audit() that selects this log, such as `project`; the log without one takes all other events.
    """
    _writers[link] = writer


def register_event_labels(
    labels: Mapping[str, StrOrPromise],
    fields: Mapping[str, EventField] | None = None,
    hidden: Collection[str] = (),
    *,
    app: str = "",
) -> None:
    """Register the labels of an app's event types and of the fields of their payloads, in `AppConfig.ready`.

    hidden: fields that are not shown, such as keys of rows. app: the label of the app, which the audit records.
    """
    _labels.update(labels)
    for type_ in labels if app else ():
        _apps.setdefault(type_, app)
    _fields.update(fields or {})
    _hidden.update(hidden)


def actions_by_app() -> dict[str, list[str]]:
    """Return the event types of each app."""
    found: dict[str, list[str]] = {}
    for type_, app in _apps.items():
        found.setdefault(app, []).append(type_)
    return found


def event_labels() -> dict[str, str]:
    """Return the label of each registered event type."""
    return {type_: str(label) for type_, label in _labels.items()}


def event_label(type_: str) -> str:
    """Return the label of an event type; one made from its name, if none is registered."""
    return str(_labels.get(type_) or type_.replace(".", ": ").replace("_", " ").capitalize())


def field_label(name: str) -> str:
    """Return the label of a field of a payload; one made from its name, if none is registered."""
    field = _fields.get(name)
    label = field[0] if isinstance(field, tuple) else field
    return str(label or name.removesuffix("_id").replace("_", " ").capitalize())


def event_changes(payload: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the changes in a payload as label, old and new value; values that are not recorded are left out."""
    return [
        (field_label(name), _value_text(name, change[0]), _value_text(name, change[1]))
        for name, change in sorted((payload.get("changed") or {}).items())
        if isinstance(change, list) and len(change) == 2
    ]


def event_details(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a payload as labels and texts; a change is "old → new"."""
    empty = gettext("empty")
    details = [
        (field_label(name), _value_text(name, value) or empty)
        for name, value in sorted(payload.items())
        if name != "changed" and name not in _hidden
    ]
    details += [(label, f"{before or empty} → {after or empty}") for label, before, after in event_changes(payload)]
    changed = payload.get("changed") or {}
    details += [(field_label(name), gettext("changed")) for name in sorted(changed) if isinstance(changed[name], str)]
    return details


def event_summary(payload: Mapping[str, Any]) -> str:
    """Return the details of a payload as one line."""
    return " · ".join(f"{label}: {text}" for label, text in event_details(payload))


def _value_text(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(_value_text(name, each) for each in value)
    field = _fields.get(name)
    if isinstance(field, tuple):
        choices = field[1] if isinstance(field[1], Mapping) else dict(field[1].choices)
        return str(choices.get(value, value))
    if name.endswith(("until", "_at")) and (instant := parse_datetime(str(value))):
        return date_format(timezone.localtime(instant), "DATETIME_FORMAT")
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def audit(type_: str, *, actor: Model, **fields: Any) -> Model:
    """Record an event in the transaction of its change, and return it.

    type_: noun, dot, past participle, such as `membership.created`. fields: linked rows (`member=`, `group=`,
    `project=`), and the payload as JSON values; empty values are omitted.
    """
    fields = {name: value for name, value in fields.items() if value not in ("", None, {})}
    mirror(type_, actor=actor, fields=fields)
    link = next((link for link in _writers if isinstance(fields.get(link), Model)), _DEFAULT)
    return _writers[link](type_, actor=actor, **fields)


def audit_changes(type_: str, *, actor: Model, changed: Mapping[str, Any], **fields: Any) -> Model | None:
    """Record an edit. Records nothing and returns None when `changed` is empty.

    changed: {field: [before, after]}, or a text instead of values that must not be recorded.
    """
    return audit(type_, actor=actor, changed=changed, **fields) if changed else None
