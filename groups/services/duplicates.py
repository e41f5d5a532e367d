"""Finding people who may be the same, and remembering that two are not."""

from typing import Any

from django.db import connection
from django.utils import timezone

from groups.merge_errors import DuplicateDecided
from groups.models import DuplicateStatus, Member, PossibleDuplicate
from groups.models.members import SYSTEM_MEMBER_ID
from missionsite.common.audit.events import audit
from missionsite.common.references import identity_queries
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# People who share a key, such as a name, above which it says nothing.
MOST_WITH_KEY = 20
# Pairs that one run finds.
MOST_PAIRS = 5_000


@service
def find_duplicates(*, actor: Member) -> int:
    """Search for people who may be the same; returns the number of open pairs.

    Decided pairs stay as they are; open ones that have nothing in common any more become outdated.
    """
    more = "\n".join(f"UNION ALL SELECT * FROM ({query}) AS more" for query in identity_queries())  # noqa: S608
    sql = read_sql("groups/queries/find_duplicates").replace("{more}", more)
    values: dict[str, Any] = {
        "system": SYSTEM_MEMBER_ID,
        "most": MOST_WITH_KEY,
        "limit": MOST_PAIRS,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    return PossibleDuplicate.objects.filter(status=DuplicateStatus.OPEN).count()


@service
def mark_not_same(*, actor: Member, pair: PossibleDuplicate, reason: str = "") -> PossibleDuplicate:
    """Remember that two people are not the same. Raises DuplicateDecided."""
    current = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=pair.pk)
    if current.status not in (DuplicateStatus.OPEN, DuplicateStatus.OUTDATED):
        raise DuplicateDecided
    current.status, current.decided_by, current.decided_at = DuplicateStatus.NOT_SAME, actor, timezone.now()
    current.save(update_fields=["status", "decided_by", "decided_at"])
    audit("member.not_same", actor=actor, pair=str(current.pk), reason=reason)
    return current


@service
def reopen_pair(*, actor: Member, pair: PossibleDuplicate) -> PossibleDuplicate:
    """Take back that two people are not the same. Raises DuplicateDecided."""
    current = PossibleDuplicate.objects.select_for_update(of=("self",)).get(pk=pair.pk)
    if current.status != DuplicateStatus.NOT_SAME:
        raise DuplicateDecided
    current.status, current.decided_by, current.decided_at = DuplicateStatus.OPEN, None, None
    current.save(update_fields=["status", "decided_by", "decided_at"])
    audit("member.same_again", actor=actor, pair=str(current.pk))
    return current
