"""Metrics of web processes, and what other modules add to them when they are read. Format: Prometheus, text 0.0.4."""

import os
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import connections
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_registry = CollectorRegistry()
REQUESTS = Counter("missionsite_http_requests", "Requests by route.", ["method", "route", "status"], registry=_registry)
SECONDS = Histogram(
    "missionsite_http_request_seconds",
    "Time until the response is ready, by route.",
    ["route"],
    buckets=_BUCKETS,
    registry=_registry,
)
POOL = Gauge(
    "missionsite_database_pool",
    "Database connections of the web processes: open, idle, the most there may be, and requests that wait for one.",
    ["state"],
    multiprocess_mode="livesum",
    registry=_registry,
)
READS = Counter(
    "missionsite_database_reads",
    "Reads that may go to a replica, by the server that answered: replica or primary.",
    ["server"],
    registry=_registry,
)

Collect = Callable[[], Iterable[Metric]]
_collectors: list[Collect] = []


def register_collector(collect: Collect) -> None:
    """Add metrics that are computed when the page is read; the function may use the database."""
    _collectors.append(collect)


class _Computed:
    def collect(self) -> Iterable[Metric]:
        for collect in _collectors:
            yield from collect()


def record_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count a request, and record the connections of this process's pool."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    pool = getattr(connections["default"], "pool", None)
    if pool is not None:
        found = pool.get_stats()
        POOL.labels("open").set(found.get("pool_size", 0))
        POOL.labels("idle").set(found.get("pool_available", 0))
        POOL.labels("waiting").set(found.get("requests_waiting", 0))
        POOL.labels("most").set(settings.DATABASE_POOL_SIZE)


def render() -> bytes:
    """The page of metrics: those of all web processes of this service, and the computed ones."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(_registry)
    registry.register(_Computed())
    return generate_latest(registry)
