"""Erasing again, after a restore, the people who were erased after the backup was made."""

from collections.abc import Iterable

from django.db import connection, transaction

from groups.models import CommunityMember, Member
from groups.services.erasure import erase_merged
from missionsite.common.audit.events import audit
from missionsite.common.erasures import record_erasure, recorded_erasures
from missionsite.common.transactions import service


@service
def erase_again(*, actor: Member, entries: Iterable[str]) -> list[str]:
    """Erase these entries of the directory as far as they exist and are not erased. Returns the erased IDs.

    Staff are erased too: the member was no longer staff when it was erased. actor: the system member.
    """
    current = CommunityMember.objects.select_for_update().filter(pk__in=list(entries), erased_at__isnull=True)
    erased = []
    for entry in current.order_by("pk"):
        entry.refresh_from_db(fields=["erased_at"])
        if entry.erased_at:
            # Merged into one that is erased already.
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT erase_directory_entry(%s)", [entry.pk])
        entry.refresh_from_db()
        audit("directory.erased", actor=actor, member=entry.person, number=entry.member_id)
        erased.append(str(entry.pk))
        # An account that was merged got its entry when it was erased, so that entry is not in the backup.
        erase_merged(actor=actor, entry=entry)
    return erased


def record_missing() -> int:
    """Record the erasures that are not recorded, as when documents could not be written. Returns their number."""
    known = recorded_erasures()
    with transaction.atomic():
        found = CommunityMember.objects.filter(erased_at__isnull=False).values_list("pk", "erased_at")
        missing = [(pk, at) for pk, at in found if at and str(pk) not in known]
    for pk, at in missing:
        record_erasure(pk, at)
    return len(missing)
