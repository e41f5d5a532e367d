"""Undoing an import of memberships: each one that it wrote is set back, if it was not changed since."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext

from groups.models import Member, Membership
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError, translate_db_errors
from missionsite.common.sql_loader import read_sql

# Rows kept as they are that a report names.
NAMED = 100


@dataclass
class UndoReport:
    """What undoing an import did. kept: names of up to NAMED rows that were changed or used since."""

    restored: int = 0
    removed: int = 0
    kept_count: int = 0
    kept: list[str] = field(default_factory=list)


def undo_memberships(actor: Member, changeset: UUID) -> UndoReport:
    """Set back the memberships that a changeset wrote, in the transaction of undo_import.

    An added one ends when it began, so that the member was in the mission at no time. One that was changed since, or
    cannot be set back because of a rule, such as a full mission, is kept and named.
    """
    report = UndoReport()
    with connection.cursor() as cursor:
        cursor.execute(read_sql("groups/queries/undo_memberships"), {"changeset": changeset})
        rows = cursor.fetchall()
    found = Membership.objects.select_related("member", "group").in_bulk([row[0] for row in rows])
    for key, is_new, role, role_until, status, left_at, is_kept in rows:
        membership = found[key]
        before = {"role": role, "role_until": role_until, "status": status, "left_at": left_at}
        if is_new:
            before = {"status": Membership.Status.LEFT, "left_at": membership.joined_at}
        if is_kept or not _set_back(actor, membership, before):
            report.kept_count += 1
            if len(report.kept) < NAMED:
                report.kept.append(str(membership))
        elif is_new:
            report.removed += 1
        else:
            report.restored += 1
    return report


def _set_back(actor: Member, membership: Membership, before: dict) -> bool:
    """Set the values back; False if a rule does not allow it."""
    try:
        with translate_db_errors(), transaction.atomic():
            Membership.objects.filter(pk=membership.pk).update(**before)
    except DomainError:
        return False
    audit("membership.reverted", actor=actor, reason=gettext("Import undone"), **membership.audit_links())
    return True
