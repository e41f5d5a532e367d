"""The audit context of a transaction, and the activity of a project."""

from django.db import connection

from fallback.models import Project, ProjectActivity
from fallback.models.choices import EventOrigin
from groups.models import Member


def set_audit_context(actor: Member | None, origin: str | None = None, *, deleting: bool = False) -> None:
    """Set the actor and the origin of all events that triggers write in this transaction.

    Also takes the lock that keeps writers and deletions apart, so call it before the first row lock. Writers lock an
    item before its run; deleting a run locks the run before its items. Writers therefore share an advisory lock, and a
    deletion (`deleting`) takes it exclusively, so that the two cannot deadlock.
    origin: one of EventOrigin; by default `user` with an actor, else `system`.
    """
    origin = origin or (EventOrigin.USER if actor else EventOrigin.SYSTEM)
    lock = "pg_advisory_xact_lock" if deleting else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {lock}(hashtextextended('fallback_rows', 0)), set_config('app.event_origin', %s, true),"
            " set_config('app.actor_id', %s, true)",
            [str(origin), str(actor.pk) if actor else ""],
        )


def record_activity(
    type_: str, *, project: Project, actor: Member | None, origin: str | None = None, **payload
) -> None:
    """Add an activity to a project, in the transaction of the change it records."""
    ProjectActivity.objects.create(
        type=type_,
        project=project,
        actor=actor,
        origin=origin or (EventOrigin.USER if actor else EventOrigin.SYSTEM),
        payload={key: value for key, value in payload.items() if value not in ("", None, {})},
    )
