"""Templates of definitions of done: add, change and apply them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group as Role
from django.core.exceptions import ValidationError

from groups.models import Member
from missiondeck.errors import TemplateDisabled, TemplateInvalid
from missiondeck.models import DeckMission, DodItem, DodTemplate, Evidence, EvidenceKind
from missiondeck.services.checklist import add_item
from missiondeck.services.evidence import add_evidence
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.constraints import CheckConstraint
from missionsite.common.transactions import service

FIELDS = ("name", "description", "items", "is_enabled")


@service
def add_template(*, actor: Member, name: str, items: list[dict], **more: str | bool) -> DodTemplate:
    """Add a template. items: see DodTemplate. more: description, is_enabled.

    Raises TemplateInvalid, ConstraintViolated (name_missing, template_taken).
    """
    check_fields(more, *FIELDS)
    _check(items)
    made = DodTemplate.objects.create(name=name.strip(), items=items, **more)
    audit("dod_template.created", actor=actor, template=str(made.pk), name=made.name)
    return made


@service
def change_template(*, actor: Member, template: DodTemplate, **changes: Any) -> DodTemplate:
    """Change a template; missions keep the items that they have. Raises as add_template."""
    check_fields(changes, *FIELDS)
    _check(changes.get("items", []))
    current = DodTemplate.objects.lock(template.pk)
    if changed := apply_changes(current, changes):
        audit("dod_template.changed", actor=actor, template=str(current.pk), name=current.name, changed=changed)
    return current


@service
def apply_template(*, actor: Member, mission: DeckMission, template: DodTemplate) -> list[DodItem]:
    """Add the items of a template that the mission does not have yet, with their evidence; returns the added items.

    Items are the same if their texts are, in any case. Raises ChecklistClosed, TooManyItems, TemplateDisabled, and
    TemplateInvalid if a role was renamed in the meantime.
    """
    DeckMission.objects.lock(mission.pk, no_key=True)
    current = DodTemplate.objects.get(pk=template.pk)
    if not current.is_enabled:
        raise TemplateDisabled
    _check(current.items)
    known = {text.casefold() for text in DodItem.objects.filter(mission=mission).values_list("text", flat=True)}
    added = []
    for each in current.items:
        if each["text"].strip().casefold() in known:
            continue
        item = add_item(actor=actor, mission=mission, text=each["text"], category=each["category"])
        for evidence in each["evidence"]:
            add_evidence(actor=actor, item=item, kind=evidence["kind"], value=evidence["value"])
        added.append(item)
    audit("dod_template.applied", actor=actor, client_mission=mission.number, name=current.name, items=len(added))
    return added


def _check(items: list[dict]) -> None:
    """Raise TemplateInvalid for items that are there twice, and for evidence that could not be added to an item."""
    roles = set(Role.objects.values_list("name", flat=True))
    seen: set[str] = set()
    for item in items:
        text = item["text"].strip().casefold()
        if text in seen:
            raise TemplateInvalid("twice", item["text"])
        seen.add(text)
        for evidence in item["evidence"]:
            if evidence["kind"] == EvidenceKind.SIGN_OFF and evidence["value"] not in roles:
                raise TemplateInvalid("role", evidence["value"])
            _check_evidence(Evidence(kind=evidence["kind"], value=evidence["value"]))


def _check_evidence(evidence: Evidence) -> None:
    for constraint in Evidence._meta.constraints:
        if isinstance(constraint, CheckConstraint):
            try:
                constraint.validate(Evidence, evidence)
            except ValidationError as error:
                raise TemplateInvalid("evidence", evidence.value, error.messages[0]) from error
