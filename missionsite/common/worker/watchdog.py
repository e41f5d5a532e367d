"""Replaces lost workers: ends their database connections first, then requeues their jobs."""

import logging
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from missionsite.common.models import WorkerProcess
from missionsite.common.worker import STALE_AFTER
from missionsite.common.worker.retries import MAX_ATTEMPTS

logger = logging.getLogger(__name__)

_LOCK = (19795, 1)


def replace_lost_workers(*, stale_after: timedelta = STALE_AFTER, known_dead: str | None = None) -> list[int]:
    """Deregister workers whose heartbeat is stale and requeue their running jobs; returns the ids of the jobs.

    known_dead: the tag of a worker whose process has certainly ended, so that its heartbeat need not be stale.
    May be called concurrently on any machine: one call runs, the others return at once.

    A worker that is only slow, or without network, may still be working. Its connections are therefore ended before
    its jobs are requeued: its open transactions roll back, and it exits when it finds that it is deregistered.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        stale: Any = stale_after
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            """
            SELECT p.tag FROM worker_processes p LEFT JOIN procrastinate_workers w ON w.id = p.worker_id
            WHERE w.id IS NULL OR w.last_heartbeat < now() - %s OR p.tag = %s
            """,
            [stale, known_dead],
        )
        lost = [tag for (tag,) in cursor.fetchall()]
        still_connected = [tag for tag in lost if not _terminate_connections(cursor, tag)]
        if still_connected:
            names = ", ".join(still_connected)
            logger.error("Workers %s are lost but their connections do not end; no job is requeued yet", names)
        lost = [tag for tag in lost if tag not in still_connected]
        cursor.execute("SELECT worker_id FROM worker_processes WHERE tag = ANY(%s)", [still_connected])
        kept = [worker_id for (worker_id,) in cursor.fetchall()]
        # Also workers that died before they wrote their row, and those that procrastinate itself deregistered.
        cursor.execute(
            """
            DELETE FROM procrastinate_workers w
            WHERE (w.last_heartbeat < now() - %s
                   OR w.id IN (SELECT worker_id FROM worker_processes WHERE tag = ANY(%s)))
              AND w.id <> ALL(%s)
            """,
            [stale, lost, kept],
        )
        WorkerProcess.objects.filter(tag__in=lost).delete()
        requeued = [] if still_connected else _requeue_orphans(cursor)
    for tag in lost:
        logger.warning("Worker %s is lost", tag)
    return requeued


def _terminate_connections(cursor: CursorWrapper, tag: str) -> bool:
    """End every connection of a worker. Returns whether all of them ended within five seconds."""
    cursor.execute(
        """
        SELECT coalesce(bool_and(pg_terminate_backend(pid, 5000)), true) FROM pg_stat_activity
        WHERE application_name = %s AND pid <> pg_backend_pid()
        """,
        [tag],
    )
    return cursor.fetchone()[0]


def _requeue_orphans(cursor: CursorWrapper) -> list[int]:
    """Requeue the running jobs that have no worker; deleting a worker sets its jobs' reference to NULL."""
    cursor.execute(
        """
        SELECT id, task_name, attempts FROM procrastinate_jobs
        WHERE status = 'doing' AND worker_id IS NULL ORDER BY id FOR UPDATE
        """
    )
    requeued = []
    for job_id, task_name, attempts in cursor.fetchall():
        if attempts + 1 >= MAX_ATTEMPTS:
            _finish_job(cursor, job_id, "failed")
            logger.error("Job %s (%s) lost its worker %s times and has failed", job_id, task_name, attempts + 1)
            continue
        try:
            with transaction.atomic():
                cursor.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job_id])
        except IntegrityError:
            # Its queueing lock allows one waiting job of this kind, and there is one already.
            _finish_job(cursor, job_id, "aborted")
            logger.warning("Job %s (%s) lost its worker; a newer job of its kind is waiting", job_id, task_name)
        else:
            requeued.append(job_id)
            logger.warning("Job %s (%s) lost its worker and was requeued", job_id, task_name)
    return requeued


def _finish_job(cursor: CursorWrapper, job_id: int, status: str) -> None:
    cursor.execute("SELECT procrastinate_finish_job_v1(%s, %s::procrastinate_job_status, false)", [job_id, status])
