"""The state of the queue and its workers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from missionsite.common.models import Heartbeat
from missionsite.common.worker import STALE_AFTER


@dataclass(frozen=True)
class WorkerState:
    host: str
    pid: int | None
    started_at: datetime | None
    silence: timedelta
    is_fresh: bool


@dataclass(frozen=True)
class Health:
    """The state of the queue. longest_wait: the longest time that a job which could run now has waited."""

    workers: list[WorkerState]
    waiting: int
    running: int
    failed_today: int
    longest_wait: timedelta | None
    heartbeats: list[Heartbeat]

    @property
    def is_alive(self) -> bool:
        return any(worker.is_fresh for worker in self.workers)


def read_health(*, stale_after: timedelta = STALE_AFTER) -> Health:
    """Read the state of background work. Raises DatabaseError when the database does not respond."""
    stale: Any = stale_after
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(p.host, 'unknown'), p.pid, p.started_at, now() - w.last_heartbeat,
                   w.last_heartbeat >= now() - %s
            FROM procrastinate_workers w LEFT JOIN worker_processes p ON p.worker_id = w.id
            ORDER BY p.host, p.pid, w.id
            """,
            [stale],
        )
        workers = [WorkerState(*row) for row in cursor.fetchall()]
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE status = 'todo'),
                   count(*) FILTER (WHERE status = 'doing'),
                   (SELECT count(*) FROM procrastinate_events WHERE type = 'failed' AND at > now() - interval '1 day'),
                   now() - min(coalesce(scheduled_at, queued_at))
                       FILTER (WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
            FROM procrastinate_jobs j
            LEFT JOIN LATERAL (
                SELECT max(at) AS queued_at FROM procrastinate_events e
                WHERE e.job_id = j.id AND e.type = 'deferred' AND j.status = 'todo'
            ) e ON true
            WHERE status IN ('todo', 'doing')
            """
        )
        waiting, running, failed_today, longest_wait = cursor.fetchone()
    return Health(workers, waiting, running, failed_today, longest_wait, list(Heartbeat.objects.all()))
