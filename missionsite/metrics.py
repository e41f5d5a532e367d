"""Metrics read from the database: background work, messages and backlogs. The same whichever process is asked."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from prometheus_client.core import GaugeMetricFamily, Metric

from missionsite.common import document_check
from missionsite.common.sql_loader import read_sql
from missionsite.common.worker.health import read_health

# Help and labels of the rows of missionsite/queries/metrics, by name.
_GAUGES = {
    "job_seconds": ("Duration of jobs that ended in the last 15 minutes, by task and quantile.", ["task", "quantile"]),
    "failed_jobs": ("Failed jobs that are kept, by task.", ["task"]),
    "messages_waiting": ("Pending messages by what they wait for, such as frequency_cap.", ["waiting_for"]),
    "messages_failed": ("Failed messages.", []),
    "messages_sent_recently": ("Messages sent in the last 15 minutes, of the last 10,000 queued.", []),
    "message_oldest_due_seconds": ("Age of the oldest message that is due.", []),
    "transport_failures": ("Consecutive failures of a transport.", ["transport"]),
    "transport_open": ("1 while the circuit of a transport is open.", ["transport"]),
    "backlog_deficit": ("Missing ready missions of all projects that the fallback fills.", []),
    "audit_seal_age_seconds": ("Time since the last block of the audit was sealed.", []),
    "audit_unsealed_seconds": ("Age of the oldest audit entry that is not sealed.", []),
    "proposals_waiting": ("Proposals that wait for a review.", []),
}
_QUERY = read_sql("missionsite/queries/metrics")


def collect() -> Iterable[Metric]:
    """Yield the metrics; without the database only that it is away."""
    up = GaugeMetricFamily("missionsite_database_up", "1 if the database responds.")
    writable = GaugeMetricFamily("missionsite_documents_writable", "1 if documents can be written.")
    writable.add_metric([], 0 if document_check.problem() else 1)
    yield writable
    try:
        found = [*_background(), *_rows()]
    except (DatabaseError, InterfaceError):
        up.add_metric([], 0)
        yield up
        return
    finally:
        if not connection.in_atomic_block:
            connection.close()
    up.add_metric([], 1)
    yield up
    yield from found


def _gauge(name: str, text: str, value: float | timedelta | None) -> Metric:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return GaugeMetricFamily(f"missionsite_{name}", text, value=seconds or 0)


def _background() -> Iterable[Metric]:
    health = read_health()
    silence = [worker.silence for worker in health.workers if worker.is_fresh]
    yield _gauge("workers", "Workers with a heartbeat.", len(silence))
    yield _gauge("worker_heartbeat_age_seconds", "Age of the newest heartbeat.", min(silence, default=None))
    jobs = GaugeMetricFamily("missionsite_jobs", "Jobs that wait or run.", labels=["state"])
    jobs.add_metric(["waiting"], health.waiting)
    jobs.add_metric(["running"], health.running)
    yield jobs
    yield _gauge("job_oldest_seconds", "Time that the oldest job has waited.", health.longest_wait)


def _rows() -> Iterable[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERY)
        rows: Sequence[tuple[str, list[str], Any]] = cursor.fetchall()
    for name, (text, labels) in _GAUGES.items():
        metric = GaugeMetricFamily(f"missionsite_{name}", text, labels=labels)
        for of, values, number in rows:
            if of == name:
                metric.add_metric(values, float(number))
        yield metric
