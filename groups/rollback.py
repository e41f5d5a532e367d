"""Checks a rollback of the mission schema migration before anything is undone."""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

FOUNDATION = ("groups", "0002_mission_schema_foundation")


def before_migrate(*, plan, using: str, app_config, **kwargs) -> None:
    """Stop undoing the mission schema migration while there are ended memberships, unless the setting allows a backup.

    Connected to Django's pre_migrate; the migration checks once more under its own transaction.
    """
    if not any(backwards and (migration.app_label, migration.name) == FOUNDATION for migration, backwards in plan):
        return
    allowed = settings.GROUPS_ROLLBACK_WITH_BACKUP
    with connections[using].cursor() as cursor:
        # For the rest of this connection: the migration's SQL reads it.
        cursor.execute("SELECT set_config('missionsite.rollback_with_backup', %s, false)", ["on" if allowed else "off"])
        cursor.execute("SELECT count(*) FROM memberships WHERE status = 'left'")
        (ended,) = cursor.fetchone()
        if not ended or allowed:
            return
        cursor.execute(
            """
            SELECT p.member_id, g.stable_id, m.joined_at::date, m.left_at::date
            FROM memberships m JOIN members p ON p.id = m.member_id JOIN groups g ON g.id = m.group_id
            WHERE m.status = 'left' ORDER BY m.joined_at, m.id LIMIT 20
            """
        )
        memberships = [
            f"  {member} in {group}, {joined} to {left}" for member, group, joined, left in cursor.fetchall()
        ]
    more = [f"  and {ended - len(memberships):,} more"] if ended > len(memberships) else []
    raise CommandError(
        "\n".join(
            [
                f"The schema before the mission schema migration cannot hold {ended:,} ended memberships:",
                *memberships,
                *more,
                "Nothing was changed. Set GROUPS_ROLLBACK_WITH_BACKUP=on to move them to memberships_backup;"
                " migrating forward again restores them.",
            ]
        )
    )
