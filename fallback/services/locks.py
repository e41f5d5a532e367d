"""Advisory locks of this app, held until the end of the transaction."""

from django.db import connection

from fallback.errors import RunInProgress


def lock_rows(*, deleting: bool = False) -> None:
    """Keep writers and deletions apart. Call it before the first row lock of a service that locks an existing row.

    A writer locks an item before its run, or a row before its project; a deletion locks them in the opposite order.
    Writers therefore share this lock, and a deletion (`deleting`) takes it exclusively, so that they cannot deadlock.
    The triggers of missions, dependencies and items take it too, but after the row locks of a service.
    """
    lock = "pg_advisory_xact_lock" if deleting else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended('fallback_rows', 0))")


def lock_board(project_id: str) -> None:
    """Allow one move at a time on a board, so that no two missions get the same `list_order`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('board:' || %s, 0))", [project_id])


def lock_runs(project_id: str) -> None:
    """Allow one run of a project at a time. Raises RunInProgress without waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('fallback_run:' || %s, 0))", [project_id])
        if not cursor.fetchone()[0]:
            raise RunInProgress
