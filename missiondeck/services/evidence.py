"""Evidence of items of the definition of done: add, remove, sign. The database keeps its state, and ticks the items."""

from __future__ import annotations

from django.contrib.auth.models import Group as Role
from django.utils import timezone

from groups.models import Member
from missiondeck.errors import RoleUnknown, SignatureNeedsRole, TooMuchEvidence
from missiondeck.models import DeckMission, DodItem, Evidence, EvidenceKind
from missiondeck.rules import MAX_EVIDENCE
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def add_evidence(*, actor: Member, item: DodItem, kind: str, value: str) -> Evidence:
    """Add a piece of evidence to an item. See Evidence for `value`.

    Raises ChecklistClosed, RoleUnknown, TooMuchEvidence, ConstraintViolated (evidence_taken, evidence_value_missing,
    evidence_link_invalid).
    """
    mission = _lock_mission(item)
    value = value.strip()
    if kind == EvidenceKind.SIGN_OFF and not Role.objects.filter(name=value).exists():
        raise RoleUnknown
    if Evidence.objects.filter(item=item, removed_at=None).count() >= MAX_EVIDENCE:
        raise TooMuchEvidence
    made = Evidence.objects.create(item=item, kind=kind, value=value)
    audit("dod_evidence.added", actor=actor, client_mission=mission.number, item=item.text, kind=kind, value=value)
    return Evidence.objects.get(pk=made.pk)


@service
def remove_evidence(*, actor: Member, evidence: Evidence) -> None:
    """Remove a piece of evidence; its item follows the rest of its evidence, if any. Raises ChecklistClosed."""
    mission = _lock_mission(evidence.item)
    if Evidence.objects.filter(pk=evidence.pk, removed_at=None).update(removed_at=timezone.now()):
        audit(
            "dod_evidence.removed",
            actor=actor,
            client_mission=mission.number,
            item=evidence.item.text,
            kind=evidence.kind,
            value=evidence.value,
        )


@service
def sign_off(*, actor: Member, evidence: Evidence, signed: bool = True) -> Evidence:
    """Sign a sign-off as a member with its role, or withdraw the signature.

    Raises SignatureNeedsRole, ChecklistClosed, ConstraintViolated (signature_inconsistent).
    """
    mission = _lock_mission(evidence.item)
    current = Evidence.objects.lock(evidence.pk)
    if not actor.groups.filter(name=current.value).exists():
        raise SignatureNeedsRole(role=current.value)
    if (current.signed_at is not None) != signed:
        current.signed_at = timezone.now() if signed else None
        current.signed_by = actor if signed else None
        current.save(update_fields=["signed_at", "signed_by"])
        audit(
            "dod_evidence.signed" if signed else "dod_evidence.signature_withdrawn",
            actor=actor,
            client_mission=mission.number,
            item=current.item.text,
            value=current.value,
        )
    return Evidence.objects.get(pk=current.pk)


def _lock_mission(item: DodItem) -> DeckMission:
    """Lock a mission while evidence of its items changes; always before an item is locked, to avoid deadlocks."""
    return DeckMission.objects.lock(item.mission_id, no_key=True)
