"""One worker process: procrastinate's worker with a tag and heartbeats; it exits as soon as it is deregistered."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections
from procrastinate import sql
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from missionsite.common.connections import is_pooled
from missionsite.common.models import WorkerProcess
from missionsite.common.worker import fence
from missionsite.common.worker.retries import retry_failed_jobs
from missionsite.common.worker.watchdog import replace_lost_workers

logger = logging.getLogger(__name__)

# Exit codes that the supervisor distinguishes (sysexits.h).
NO_DATABASE = 69
DEREGISTERED = 75
# Most seconds between the last job of a stopped worker and the end of its process.
SHUTDOWN_SECONDS = 10.0


# Called at the start of each worker process, after its fork.
_at_start: list[Callable[[], object]] = []


def register_start(function: Callable[[], object]) -> None:
    """Let each worker process call this when it starts."""
    _at_start.append(function)


@dataclass(frozen=True)
class Pipes:
    """Pipes between a worker and its supervisor: one for heartbeats, one that closes when the supervisor dies."""

    heartbeat: int
    supervisor: int


def run(*, tag: str, concurrency: int, stale_after: timedelta, pipes: Pipes, replaces: str | None) -> int:
    """Run jobs until SIGTERM, then finish the running ones. Returns the exit code of the process.

    tag: the application_name of all connections of this process, by which the watchdog ends them; not behind a pooler,
    which lends them to others. replaces: the tag of the dead worker it replaces.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C also reaches the supervisor, which sends a SIGTERM.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    default = connections["default"]
    try:
        default.ensure_connection()
        with default.wrap_database_errors:
            through_pooler = is_pooled(default.connection)
        if through_pooler:
            logger.warning("The worker connects through a pooler. Set DATABASE_DIRECT_URL, so that jobs start at once.")
        else:
            options = default.settings_dict.get("OPTIONS", {})
            default.settings_dict["OPTIONS"] = {**options, "application_name": tag}
        default.close()
        replace_lost_workers(stale_after=stale_after, known_dead=replaces)
    except DatabaseError as error:
        logger.error("The database does not respond; trying again. %s", str(error).strip().splitlines()[0])
        return NO_DATABASE
    finally:
        default.close()
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    for function in _at_start:
        function()
    try:
        asyncio.run(_run_worker(tag, concurrency, stale_after, pipes))
    except Exception as error:
        logger.error("The worker stopped: %s", error, exc_info=not _is_connection_loss(error))
        return NO_DATABASE if _is_connection_loss(error) else 1
    return 0


def _is_connection_loss(error: BaseException) -> bool:
    names = {type(each).__name__ for each in (error, error.__cause__, error.__context__) if each}
    return bool(names & {"ConnectorException", "OperationalError", "PoolTimeout", "AdminShutdown"})


class _Worker(Worker):
    """procrastinate's worker, which also knows whether it is still working."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, worker_middleware=[self._around_job])
        self._polled_at = time.monotonic()
        self._running = 0

    async def _fetch_and_process_jobs(self) -> None:
        if self.worker_id is not None:
            fence.close_on_deregistration(self.worker_id)
            _end_only_own_jobs(self.worker_id)
        await super()._fetch_and_process_jobs()
        self._polled_at = time.monotonic()

    def is_working(self, within: float) -> bool:
        """Whether a job is running, or the queue was polled within this number of seconds."""
        return self._running > 0 or time.monotonic() - self._polled_at < within

    async def _around_job(self, call_next: Any, context: Any, worker: Worker) -> Any:
        """Count a job while it runs; exit if the worker was deregistered meanwhile, as the job is now another's."""
        self._running += 1
        try:
            return await call_next()
        finally:
            self._running -= 1
            self._polled_at = time.monotonic()
            await _exit_if_deregistered(self.worker_id)


def _end_only_own_jobs(worker_id: int) -> None:
    """Let this process end or retry only jobs of this worker, checked in the statement that does it."""
    for name, ended in (
        ("finish_job", "procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s)"),
        (
            "retry_job",
            "procrastinate_retry_job_v2(id, %(retry_at)s, %(new_priority)s, %(new_queue_name)s, %(new_lock)s)",
        ),
    ):
        own = f"SELECT id FROM procrastinate_jobs WHERE id = %(job_id)s AND worker_id = {worker_id:d} FOR UPDATE"  # noqa: S608
        sql.queries[name] = f"WITH own AS ({own}) SELECT {ended} FROM own"  # noqa: S608


async def _run_worker(tag: str, concurrency: int, stale_after: timedelta, pipes: Pipes) -> None:
    interval = stale_after.total_seconds() / 6
    connector: Any = app.connector
    with app.replace_connector(connector.get_worker_connector()):
        async with app.open_async():
            app.perform_import_paths()
            retry_failed_jobs(app)
            worker = _Worker(
                app=app,
                **{
                    **app.worker_defaults,
                    "name": tag,
                    "concurrency": concurrency,
                    "install_signal_handlers": False,
                    "fetch_job_polling_interval": min(interval, 5.0),
                    "update_heartbeat_interval": interval,
                    "stalled_worker_timeout": stale_after.total_seconds(),
                },
            )
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, worker.stop)
            loop.add_reader(pipes.supervisor, _stop_without_supervisor, loop, pipes.supervisor, worker)
            ended = asyncio.Event()
            heartbeat = asyncio.create_task(
                _send_heartbeats(worker, tag, concurrency, interval, pipes.heartbeat, ended)
            )
            try:
                await worker.run()
            finally:
                ended.set()
                _exit_after(SHUTDOWN_SECONDS)
                heartbeat.cancel()
                # Not `await heartbeat`: a cancellation that arrives together with a database result may be lost.
                await asyncio.wait({heartbeat}, timeout=SHUTDOWN_SECONDS / 2)
                if heartbeat.done() and not heartbeat.cancelled() and (error := heartbeat.exception()):
                    logger.warning("The heartbeat had stopped: %s", error)
                await sync_to_async(_delete_row)(tag)


def _delete_row(tag: str) -> None:
    # A lost connection is not reopened by itself.
    connections.close_all()
    # Without a transaction: the fence would reject its commit, since the worker is no longer registered.
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM worker_processes WHERE tag = %s", [tag])


def _exit_after(seconds: float) -> None:
    """End this process after this number of seconds, whatever it still waits for."""

    def exit_now() -> None:
        logger.error("The worker stopped but its process did not end; exiting")
        logging.shutdown()
        os._exit(NO_DATABASE)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()


def _stop_without_supervisor(loop: Any, pipe: int, worker: Worker) -> None:
    loop.remove_reader(pipe)
    logger.warning("The supervisor of this worker is gone; finishing the running jobs")
    worker.stop()


async def _send_heartbeats(
    worker: _Worker, tag: str, concurrency: int, interval: float, pipe: int, ended: asyncio.Event
) -> None:
    """Record where this worker runs, then send heartbeats until it has ended.

    procrastinate's own heartbeat stops at the stop signal, while a long job may still be running. This one continues,
    so that the job is not treated as lost. The supervisor gets a heartbeat only after the database has stored it, and
    none once the worker neither runs nor polls for jobs.
    """
    while worker.worker_id is None:
        await asyncio.sleep(min(interval / 50, 0.1))
    worker_id = worker.worker_id
    row = WorkerProcess(
        tag=tag, worker_id=worker_id, host=socket.gethostname(), pid=os.getpid(), concurrency=concurrency
    )
    await sync_to_async(row.save)(force_insert=True)
    while not ended.is_set():
        if worker.is_working(within=interval * 6):
            try:
                await app.job_manager.update_heartbeat(worker_id)
                if worker.worker_id is not None:
                    await _exit_if_deregistered(worker_id)
            except ConnectorException as error:
                logger.warning("The heartbeat could not be written: %s", error.__cause__ or error)
            else:
                if not ended.is_set():
                    with contextlib.suppress(BlockingIOError, BrokenPipeError):
                        os.write(pipe, b".")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), interval)


async def _exit_if_deregistered(worker_id: int | None) -> None:
    rows = await app.connector.execute_query_all_async(
        "SELECT 1 AS found FROM procrastinate_workers WHERE id = %(worker_id)s", worker_id=worker_id
    )
    if not rows:
        logger.error("This worker was deregistered as lost and its jobs were requeued; exiting")
        logging.shutdown()
        # At once: any further step would affect a job that no longer belongs to this worker.
        os._exit(DEREGISTERED)
