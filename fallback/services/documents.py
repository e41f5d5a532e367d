"""Documents of missions: the solution and the tasks, as files with a history of versions.

The versions are rows. The latest one is also a file of the document store, which agents and backups read: it is written
after its version is committed, and `repair_documents` writes what was lost in between.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from fallback import rules
from fallback.errors import DocumentChanged, DocumentIsLatest
from fallback.models import Mission, MissionDocumentVersion
from fallback.selectors.documents import latest_version, latest_versions
from fallback.services.locks import lock_rows
from groups.models import Member
from missionsite.common import documents
from missionsite.common.audit.context import Origin, origin_of, set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

FOLDER = "solo-unicorn-docs/missions"
BATCH = 500
# A younger file may belong to a version that is not committed yet.
_UNCOMMITTED = timedelta(minutes=1)


def path_of(mission_id: str, name: str) -> str:
    """The path of a document in the document store."""
    return f"{FOLDER}/{mission_id}/{name}"


@service
def save_document(
    *,
    actor: Member,
    mission: Mission,
    name: str,
    content: str,
    based_on: int,
    origin: Origin | None = None,
) -> MissionDocumentVersion:
    """Save a version of a document: of the solution (`solution.md`) or of a task (`tasks/1.md`).

    based_on: the version that was edited, 0 for a new document. origin: `agent` for the session of an agent.
    Raises DocumentChanged with the latest version if it is another one, and the errors of the constraints. Saving the
    latest text again changes nothing.
    """
    if not re.fullmatch(rules.DOCUMENT_NAME, name):
        raise violated("mission_document_versions_name_known")
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    origin = origin or origin_of(actor)
    set_audit_context(actor, origin=origin)
    lock_rows()
    # The lock makes versions of a mission sequential.
    current = Mission.objects.lock(mission.pk, "project", no_key=True)
    latest = latest_version(current, name)
    if latest and latest.content == content and not latest.removed_at:
        return latest
    if based_on != (latest.version if latest else 0):
        raise DocumentChanged(latest)
    made = MissionDocumentVersion.objects.create(
        mission=current, name=name, version=based_on + 1, content=content, author=actor, origin=origin
    )
    changes = {"solution_path": path_of(current.pk, name)}
    if name.startswith("tasks/"):
        changes = {"tasks_path": path_of(current.pk, "tasks")}
    if any(getattr(current, field) != value for field, value in changes.items()):
        Mission.objects.filter(pk=current.pk).update(**changes)
    audit(
        "document.saved",
        actor=actor,
        project=current.project,
        mission=current.pk,
        title=current.title,
        document=name,
        version=made.version,
    )
    transaction.on_commit(lambda: _write_logged(current.pk, name), robust=True)
    return made


@service
def remove_document_text(*, actor: Member, version: MissionDocumentVersion) -> MissionDocumentVersion:
    """Remove the text of an earlier version for good, such as one that names a person who was erased.

    Raises DocumentIsLatest for the latest version, which can be edited.
    """
    mission = Mission.objects.lock(version.mission_id, "project", no_key=True)
    latest = latest_version(mission, version.name)
    if latest and latest.pk == version.pk:
        raise DocumentIsLatest
    current = MissionDocumentVersion.objects.lock(version.pk)
    if not current.removed_at:
        current.content, current.removed_at = "", timezone.now()
        current.save(update_fields=["content", "removed_at"])
        audit(
            "document.text_removed",
            actor=actor,
            project=mission.project,
            mission=mission.pk,
            title=mission.title,
            document=current.name,
            version=current.version,
        )
    return current


def write_document(mission_id: str, name: str) -> bool:
    """Write the latest version of a document to its file. Returns False if there is none."""
    with transaction.atomic():
        # The lock keeps an older version from being written after a newer one.
        mission = Mission.objects.filter(pk=mission_id).select_for_update(no_key=True).first()
        latest = latest_version(mission, name) if mission else None
        if latest is None:
            return False
        documents.write(path_of(mission_id, name), latest.content.encode())
    return True


def repair_documents(*, since: datetime | None = None) -> dict[str, int]:
    """Write documents whose file is missing or older, and delete files of missions that no longer exist.

    since: only documents saved after it; by default all. Returns the numbers of written and removed files.
    """
    written = removed = 0
    for version in latest_versions(since):
        path = path_of(version.mission_id, version.name)
        try:
            is_current = documents.read(path) == version.content.encode()
        except (documents.NoSuchDocument, documents.DocumentTooLarge):
            is_current = False
        if not is_current:
            written += write_document(version.mission_id, version.name)
    for path in _without_mission():
        documents.delete(path)
        removed += 1
    return {"written": written, "removed": removed}


def _write_logged(mission_id: str, name: str) -> None:
    """Write a document after the commit. A failure is logged; `repair_documents` tries again."""
    try:
        write_document(mission_id, name)
    except Exception:
        logger.exception("document %s of mission %s not written; repair_documents will retry", name, mission_id)


def _without_mission() -> Iterator[str]:
    """The paths of files whose mission does not exist, and which are not of an uncommitted transaction."""
    found: dict[str, list[str]] = {}
    for path in documents.names(FOLDER):
        found.setdefault(path.removeprefix(f"{FOLDER}/").partition("/")[0], []).append(path)
    keys = sorted(found)
    for begin in range(0, len(keys), BATCH):
        batch = keys[begin : begin + BATCH]
        known = set(Mission.objects.filter(pk__in=batch).values_list("pk", flat=True))
        for key in batch:
            if key not in known:
                yield from (path for path in found[key] if _is_old(path))


def _is_old(path: str) -> bool:
    try:
        return documents.modified_at(path) < timezone.now() - _UNCOMMITTED
    except documents.NoSuchDocument:
        return False
