"""Undoing an import: everything that its changeset wrote is set back, as far as it was not changed since."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import connection

from groups.errors import ImportUndone, NoSuchImport
from groups.models import Event, Member
from groups.services.imports import lock_imports
from groups.services.membership_undo import NAMED, UndoReport, undo_memberships
from missionsite.common.audit.events import audit
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# The types of the events of an import and of its undoing, by kind.
MEMBERS, MEMBERSHIPS = (
    ("directory.imported", "directory.import_undone"),
    ("membership.imported", "membership.import_undone"),
)
KINDS = (MEMBERS, MEMBERSHIPS)


@dataclass(frozen=True)
class PastImport:
    """An import that wrote something. undone_at: None while it can be undone."""

    changeset: UUID
    at: datetime
    actor: Member | None
    file: str
    added: int
    updated: int
    undone_at: datetime | None


def past_imports(*, limit: int = 20, kinds: Collection[tuple[str, str]] = KINDS) -> list[PastImport]:
    """Return the latest imports, newest first, in two queries."""
    events = list(
        Event.objects.filter(type__in=[imported for imported, _undone in kinds], changeset_id__isnull=False)
        .select_related("actor")
        .order_by("-occurred_at", "-id")[:limit]
    )
    undone = dict(
        Event.objects.filter(
            type__in=[undone for _imported, undone in kinds],
            payload__import__in=[str(event.changeset_id) for event in events],
        ).values_list("payload__import", "occurred_at")
    )
    return [
        PastImport(
            changeset=cast(UUID, event.changeset_id),
            at=event.occurred_at,
            actor=event.actor,
            file=event.payload.get("file", ""),
            added=event.payload.get("added", 0),
            updated=event.payload.get("updated", 0),
            undone_at=undone.get(str(event.changeset_id)),
        )
        for event in events
    ]


@service
def undo_import(*, actor: Member, changeset: UUID) -> UndoReport:
    """Undo an import.

    Members: changed members and entries get their values back, added entries are removed from the directory, added
    accounts are deactivated. The e-mails and Telegram IDs of what was added are free again, so that a corrected file
    can be imported. Whoever was changed since the import, has logged in or has other events is kept and named.
    Memberships: see undo_memberships.
    Raises NoSuchImport, ImportUndone, ImportRunning, and the errors of the constraints if a value is taken by now.
    """
    imported = Event.objects.filter(type__in=[kind[0] for kind in KINDS], changeset_id=changeset).first()
    if imported is None:
        raise NoSuchImport
    undone = dict(KINDS)[imported.type]
    with connection.cursor() as cursor:
        lock_imports(cursor)
    if Event.objects.filter(type=undone, payload__import=str(changeset)).exists():
        raise ImportUndone
    report = undo_memberships(actor, changeset) if imported.type == MEMBERSHIPS[0] else _undo_members(actor, changeset)
    audit(
        undone,
        actor=actor,
        file=imported.payload.get("file", ""),
        restored=report.restored,
        removed=report.removed,
        kept=report.kept_count,
        **{"import": str(changeset)},
    )
    return report


def _undo_members(actor: Member, changeset: UUID) -> UndoReport:
    with connection.cursor() as cursor:
        values = {"changeset": changeset, "actor": actor.pk}
        cursor.execute("DROP TABLE IF EXISTS pg_temp.undo_rows")
        for name in ("lock", "rows", "release", "entries", "members"):
            cursor.execute(read_sql(f"groups/queries/undo_import_{name}"), values)
        cursor.execute(
            "SELECT count(*) FILTER (WHERE NOT is_kept AND NOT (member_is_new OR entry_is_new)),"
            " count(*) FILTER (WHERE NOT is_kept AND (member_is_new OR entry_is_new)),"
            " count(*) FILTER (WHERE is_kept) FROM undo_rows"
        )
        restored, removed, kept_count = cursor.fetchone()
        cursor.execute(
            "SELECT shown || ' ' || coalesce(stable_id, number) FROM undo_rows WHERE is_kept ORDER BY 1 LIMIT %s",
            [NAMED],
        )
        kept = [name for (name,) in cursor.fetchall()]
    return UndoReport(restored, removed, kept_count, kept)
