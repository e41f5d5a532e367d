"""Lost workers: cut off first, then their jobs go back to the queue."""

import logging
from datetime import timedelta

from django.db import IntegrityError, connection, transaction

from missionsite.common.models import WorkerProcess
from missionsite.common.worker import STALE_AFTER

logger = logging.getLogger(__name__)

# A job that took its worker down this often is given up: it would take the next one down too.
MAX_ATTEMPTS = 5
_LOCK = (19795, 1)


def replace_lost_workers(*, stale_after: timedelta = STALE_AFTER, known_lost: str | None = None) -> list[int]:
    """Cut off workers whose heartbeat is stale and requeue what they were running; returns the ids of the jobs.

    known_lost: the tag of a worker whose process is certainly gone, so that no one waits for its heartbeat to age.
    Safe to run anywhere, any number of times at once: one runs, the others return at once.

    A worker that is only slow, or cut off from the network, may still be at work. So its connections are ended before
    its jobs are given back: what it had open is rolled back, and it finds itself struck off and stops.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            """
            SELECT p.tag FROM worker_processes p LEFT JOIN procrastinate_workers w ON w.id = p.worker_id
            WHERE w.id IS NULL OR w.last_heartbeat < now() - %s OR p.tag = %s
            """,
            [stale_after, known_lost],
        )
        lost = [tag for (tag,) in cursor.fetchall()]
        uncut = [tag for tag in lost if not _cut_off(cursor, tag)]
        if uncut:
            logger.error("Workers %s are lost but their connections do not end; their jobs wait", ", ".join(uncut))
        lost = [tag for tag in lost if tag not in uncut]
        cursor.execute("SELECT worker_id FROM worker_processes WHERE tag = ANY(%s)", [uncut])
        spared = [worker_id for (worker_id,) in cursor.fetchall()]
        # Also a worker that died before it could say where it runs, and one that procrastinate itself struck off.
        cursor.execute(
            """
            DELETE FROM procrastinate_workers w
            WHERE (w.last_heartbeat < now() - %s
                   OR w.id IN (SELECT worker_id FROM worker_processes WHERE tag = ANY(%s)))
              AND w.id <> ALL(%s)
            """,
            [stale_after, lost, spared],
        )
        WorkerProcess.objects.filter(tag__in=lost).delete()
        requeued = [] if uncut else _requeue_orphans(cursor)
    for tag in lost:
        logger.warning("Worker %s is lost", tag)
    return requeued


def _cut_off(cursor, tag: str) -> bool:
    """End every connection of a worker and wait until the server has none of it left."""
    cursor.execute(
        """
        SELECT coalesce(bool_and(pg_terminate_backend(pid, 5000)), true) FROM pg_stat_activity
        WHERE application_name = %s AND pid <> pg_backend_pid()
        """,
        [tag],
    )
    return cursor.fetchone()[0]


def _requeue_orphans(cursor) -> list[int]:
    """Give back the jobs that are under way without a worker: deleting one has emptied their reference to it."""
    cursor.execute(
        """
        SELECT id, task_name, attempts FROM procrastinate_jobs
        WHERE status = 'doing' AND worker_id IS NULL ORDER BY id FOR UPDATE
        """
    )
    requeued = []
    for job_id, task_name, attempts in cursor.fetchall():
        if attempts + 1 >= MAX_ATTEMPTS:
            _finish(cursor, job_id, "failed")
            logger.error("Job %s (%s) lost its worker %s times and is given up", job_id, task_name, attempts + 1)
            continue
        try:
            with transaction.atomic():
                cursor.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job_id])
        except IntegrityError:
            # Its queueing lock allows one waiting job of the kind, and that is there already.
            _finish(cursor, job_id, "aborted")
            logger.warning("Job %s (%s) lost its worker; a newer one of its kind is waiting", job_id, task_name)
        else:
            requeued.append(job_id)
            logger.warning("Job %s (%s) lost its worker and is queued again", job_id, task_name)
    return requeued


def _finish(cursor, job_id: int, status: str) -> None:
    cursor.execute("SELECT procrastinate_finish_job_v1(%s, %s::procrastinate_job_status, false)", [job_id, status])
