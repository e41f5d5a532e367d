"""On whose behalf the database writes a timeline, and what happened in a project."""

from django.db import connection

from fallback.models import Project, ProjectActivity
from fallback.models.choices import EventOrigin
from groups.models import Member


def act(actor: Member | None, origin: str | None = None, *, deleting: bool = False) -> None:
    """Begin a write: say who acts, for every event the triggers write, and keep out of the way of deletions.

    It comes before the first row lock of a service. Writing locks an item before its run, deleting a run before its
    items; so writers share a lock which who deletes (`deleting`) holds alone, and the two never wait for each other.
    origin: one of EventOrigin; a person with an actor, else the system.
    """
    origin = origin or (EventOrigin.USER if actor else EventOrigin.SYSTEM)
    lock = "pg_advisory_xact_lock" if deleting else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {lock}(hashtextextended('fallback_rows', 0)), set_config('app.event_origin', %s, true),"
            " set_config('app.actor_id', %s, true)",
            [str(origin), str(actor.pk) if actor else ""],
        )


def record(type_: str, *, project: Project, actor: Member | None, origin: str | None = None, **payload) -> None:
    """Write down what happened in a project, in the transaction of the change itself."""
    ProjectActivity.objects.create(
        type=type_,
        project=project,
        actor=actor,
        origin=origin or (EventOrigin.USER if actor else EventOrigin.SYSTEM),
        payload={key: value for key, value in payload.items() if value not in ("", None, {})},
    )
