"""Evidence of items of the definition of done: add, remove, sign. The database keeps its state, and ticks the items."""

from __future__ import annotations

import re
from hashlib import sha256

from django.contrib.auth.models import Group as Role
from django.utils import timezone

from groups.models import Member
from missiondeck.errors import FileMissing, OtherRepository, RoleUnknown, SignatureNeedsRole, TooMuchEvidence
from missiondeck.models import DeckMission, DodItem, Evidence, EvidenceFile, EvidenceKind
from missiondeck.reports import BinaryFile
from missiondeck.rules import EVIDENCE_FILE_BYTES, MAX_EVIDENCE
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def add_evidence(*, actor: Member, item: DodItem, kind: str, value: str, file: BinaryFile | None = None) -> Evidence:
    """Add a piece of evidence to an item. See Evidence for `value`.

    file: of the kind FILE. A pull request or an address is checked by a job. Raises
    ChecklistClosed, RoleUnknown, TooMuchEvidence, OtherRepository, FileMissing, ConstraintViolated (evidence_taken,
    evidence_value_missing, evidence_link_invalid, pull_request_invalid, file_size_out_of_range).
    """
    if (kind == EvidenceKind.FILE) != (file is not None):
        raise FileMissing
    mission = _lock_mission(item)
    value = file_name(value) if kind == EvidenceKind.FILE else value.strip()
    if kind == EvidenceKind.SIGN_OFF and not Role.objects.filter(name=value).exists():
        raise RoleUnknown
    if Evidence.objects.filter(item=item, removed_at=None).count() >= MAX_EVIDENCE:
        raise TooMuchEvidence
    repository = mission.github_url.rstrip("/")
    if kind == EvidenceKind.PULL_REQUEST and repository and not value.lower().startswith(f"{repository.lower()}/pull/"):
        raise OtherRepository
    made = Evidence.objects.create(item=item, kind=kind, value=value)
    if file is not None:
        _store_file(actor, made, file)
    audit("dod_evidence.added", actor=actor, client_mission=mission.number, item=item.text, kind=kind, value=value)
    return Evidence.objects.get(pk=made.pk)


def file_name(text: str) -> str:
    """The name of a file without folders and control characters."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return re.split(r"[/\\]", printable)[-1].strip()[-255:] or "file"


def _store_file(actor: Member, evidence: Evidence, file: BinaryFile) -> None:
    content = file.read(EVIDENCE_FILE_BYTES + 1)
    digest = sha256(content).hexdigest()
    EvidenceFile.objects.create(evidence=evidence, content=content, digest=digest, added_by=actor)


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
