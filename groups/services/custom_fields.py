"""Custom fields of members and missions, and their values."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from groups.detail_errors import CustomFieldUnknown, CustomValueInvalid
from groups.models import CustomField, CustomValue, Member
from groups.rules import CustomFieldKind
from groups.selectors.details import Subject, about, fields_for, target_of, values_of
from groups.services.import_columns import plain
from groups.services.membership_columns import read_time
from groups.services.tags import subject_column, subject_links
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service

_EDITED = ("label", "kind", "target", "name", "choices", "position", "is_archived")
_NUMBER = re.compile(r"(-?)0*(\d{1,15})(?:[.,](\d{1,6}))?", re.ASCII)
_YES = frozenset(["yes", "y", "true", "1", "x", "sim", "s", "si", "ja", "j", "oui", "o", "wahr", "verdadeiro"])
_NO = frozenset(["no", "n", "false", "0", "nao", "nein", "non", "falso", "falsch"])


@service
def create_custom_field(*, actor: Member, **fields: Any) -> CustomField:
    """Define a field. fields: those of CustomField. Raises ConstraintViolated."""
    check_fields(fields, *_EDITED)
    field = CustomField.objects.create(**fields)
    audit("custom_field.created", actor=actor, name=field.name)
    return field


@service
def update_custom_field(*, actor: Member, field: CustomField, **changes: Any) -> CustomField:
    """Change a field. Raises ConstraintViolated, CustomFieldInUse, CustomChoiceInUse."""
    check_fields(changes, *_EDITED)
    current = CustomField.objects.lock(field.pk)
    changed = apply_changes(current, changes)
    audit_changes("custom_field.changed", actor=actor, name=current.name, changed=changed)
    return current


@service
def set_values(*, actor: Member, subject: Subject, values: Mapping[CustomField, str]) -> dict[str, list]:
    """Set the values of a subject's fields, as people write them; an empty one is removed.

    Returns the changes by the name of the field, each before and after. Raises CustomValueInvalid, CustomFieldUnknown.
    """
    before = values_of(subject)
    changed: dict[str, list] = {}
    for field, text in values.items():
        if field.target != target_of(subject):
            raise CustomFieldUnknown
        value = read_value(field, text)
        old = before.get(field.pk)
        if value == (old or ""):
            continue
        changed[field.name] = [old, value or None]
        CustomValue.objects.filter(about(subject), field=field).delete()
        if value:
            CustomValue.objects.create(field=field, value=value, **subject_column(subject))
    if changed:
        # The values may be personal: events outlive them.
        audit("custom_values.changed", actor=actor, changed=dict.fromkeys(changed, "changed"), **subject_links(subject))
    return changed


def read_value(field: CustomField, text: str) -> str:
    """Return a value in the form in which it is stored. Raises CustomValueInvalid."""
    text = " ".join(text.split())
    if not text:
        return ""
    match field.kind:
        case CustomFieldKind.NUMBER:
            if not (number := _NUMBER.fullmatch(text)):
                raise CustomValueInvalid(gettext("Enter a number, such as 12.5."))
            decimals = (number[3] or "").rstrip("0")
            digits = f"{number[2]}.{decimals}" if decimals else number[2]
            return digits if digits == "0" else f"{number[1]}{digits}"
        case CustomFieldKind.DATE:
            try:
                return read_time(text).at.date().isoformat()
            except ValueError:
                raise CustomValueInvalid(gettext("Enter a date, such as 2026-03-01.")) from None
        case CustomFieldKind.YES_NO:
            if plain(text) in _YES | _NO:
                return "yes" if plain(text) in _YES else "no"
            raise CustomValueInvalid(gettext("Enter yes or no."))
        case CustomFieldKind.CHOICE:
            for choice in field.choices:
                if plain(choice) == plain(text):
                    return str(choice)
            choices = ", ".join(map(str, field.choices))
            raise CustomValueInvalid(gettext("Enter one of these: %(choices)s.") % {"choices": choices})
    return text


def find_field(target: str, heading: str, known: list[CustomField] | None = None) -> CustomField | None:
    """Return the field whose name or label a heading is."""
    names = plain(heading)
    for field in fields_for(target) if known is None else known:
        if names in (plain(field.name), plain(field.label)):
            return field
    return None
