"""Addresses for machines that watch the site: /livez, /readyz and /metrics.

They are answered before everything else, for any Host, without a session and without redirects. /metrics needs the
token METRICS_TOKEN.
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from missionsite.common import document_check, maintenance, metrics, replica
from missionsite.common.worker.health import read_health

logger = logging.getLogger(__name__)

# A queue whose oldest job waits longer is reported.
LONGEST_QUEUE_AGE = timedelta(minutes=5)
PATHS = ("/livez", "/readyz", "/metrics")


@dataclass(frozen=True)
class Check:
    """One part of the site's state. required: without it this process cannot answer requests."""

    name: str
    passed: bool
    text: str
    required: bool = False


class ProbesMiddleware:
    """Answer the addresses above; pass all other requests on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = {"/livez": _live, "/readyz": _ready, "/metrics": _metrics}[request.path_info](request)
        response["Cache-Control"] = "no-store"
        return response


def _live(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def _ready(request: HttpRequest) -> HttpResponse:
    """200 if this process can answer requests, else 503; `degraded` if something else is wrong."""
    checks = run_checks()
    ready = all(check.passed for check in checks if check.required)
    status = "unavailable" if not ready else "ok" if all(check.passed for check in checks) else "degraded"
    body = {"status": status, "maintenance": maintenance.until() is not None}
    return JsonResponse(body | {"checks": [asdict(check) for check in checks]}, status=200 if ready else 503)


def _metrics(request: HttpRequest) -> HttpResponse:
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)


def run_checks() -> list[Check]:
    """Check the database, its migrations, the documents, the workers and the queue."""
    try:
        checks = [_database(), _migrations(), *_replica(), *_background()]
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Not ready: %s", error)
        checks = [Check("database", False, "does not respond", required=True)]
    finally:
        # Before the request signals, which would return the connection.
        if not connection.in_atomic_block:
            connection.close()
    return [*checks, _documents()]


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        read_only = cursor.fetchone()[0] == "on"
    return Check("database", not read_only, "is read-only" if read_only else "responds", required=True)


def _migrations() -> Check:
    global _applied
    missing = [] if _applied else _missing_migrations()
    _applied = not missing
    text = f"missing: {', '.join(missing[:5])}" if missing else "applied"
    return Check("migrations", not missing, text, required=True)


# Reading all migrations takes a second, and what was applied stays applied while this process runs.
_applied = False


def _missing_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _replica() -> list[Check]:
    """Without it, the primary answers all reads."""
    if replica.REPLICA not in connections.settings:
        return []
    behind = replica.seconds_behind()
    if behind is None:
        return [Check("replica", False, "does not respond, or is too far behind")]
    return [Check("replica", behind <= settings.DATABASE_REPLICA_LAG, f"at most {behind:.0f} s behind")]


def _documents() -> Check:
    problem = document_check.problem()
    return Check("documents", not problem, problem or "can be written")


def _background() -> list[Check]:
    health = read_health()
    fresh = sum(worker.is_fresh for worker in health.workers)
    wait = health.longest_wait or timedelta(0)
    return [
        Check("workers", fresh > 0, f"{fresh} with a heartbeat"),
        Check(
            "queue", wait <= LONGEST_QUEUE_AGE, f"{health.waiting} waiting, the oldest for {wait.total_seconds():.0f} s"
        ),
    ]
