"""One worker process: procrastinate's worker, tagged, beating, and gone the moment it was struck off."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from missionsite.common.models import WorkerProcess
from missionsite.common.worker.watchdog import replace_lost_workers

logger = logging.getLogger(__name__)

# Exit codes the supervisor tells apart (sysexits.h).
NO_DATABASE = 69
STRUCK_OFF = 75
# Seconds a worker that has stopped may take to end.
LEAVE_SECONDS = 10.0


@dataclass(frozen=True)
class Wires:
    """What ties a worker to its supervisor: where its beat goes, and what closes when the supervisor dies."""

    beat: int
    supervisor: int


def run(*, tag: str, concurrency: int, stale_after: timedelta, wires: Wires, replaces: str | None) -> int:
    """Work until SIGTERM, then finish what is under way. Returns the exit code of the process.

    tag: application_name of every connection of this process. replaces: the tag of a worker that died before it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor too, which passes on a SIGTERM.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    default = connections["default"]
    default.settings_dict["OPTIONS"] = {**default.settings_dict.get("OPTIONS", {}), "application_name": tag}
    try:
        replace_lost_workers(stale_after=stale_after, known_lost=replaces)
    except DatabaseError as error:
        logger.error("The database does not answer; trying again. %s", str(error).strip().splitlines()[0])
        return NO_DATABASE
    finally:
        default.close()
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        asyncio.run(_work(tag, concurrency, stale_after, wires))
    except Exception as error:
        logger.error("The worker stopped: %s", error, exc_info=not _is_connection_loss(error))
        return NO_DATABASE if _is_connection_loss(error) else 1
    return 0


def _is_connection_loss(error: BaseException) -> bool:
    names = {type(each).__name__ for each in (error, error.__cause__, error.__context__) if each}
    return bool(names & {"ConnectorException", "OperationalError", "PoolTimeout", "AdminShutdown"})


class _Worker(Worker):
    """procrastinate's worker, which can say whether it still works."""

    def __init__(self, **options) -> None:
        super().__init__(**options, worker_middleware=[self._around_job])
        self._asked_at = time.monotonic()
        self._running = 0

    async def _fetch_and_process_jobs(self) -> None:
        await super()._fetch_and_process_jobs()
        self._asked_at = time.monotonic()

    def works(self, within: float) -> bool:
        """Whether a job is running, or the queue was asked for one in so many seconds."""
        return self._running > 0 or time.monotonic() - self._asked_at < within

    async def _around_job(self, call_next, context, worker: Worker):
        """Count a job while it runs; a worker that was struck off meanwhile does not report on what is another's."""
        self._running += 1
        try:
            return await call_next()
        finally:
            self._running -= 1
            self._asked_at = time.monotonic()
            await _leave_if_struck_off(self.worker_id)


async def _work(tag: str, concurrency: int, stale_after: timedelta, wires: Wires) -> None:
    interval = stale_after.total_seconds() / 6
    with app.replace_connector(app.connector.get_worker_connector()):
        async with app.open_async():
            app.perform_import_paths()
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
            loop.add_reader(wires.supervisor, _supervisor_gone, loop, wires.supervisor, worker)
            ended = asyncio.Event()
            beat = asyncio.create_task(_beat(worker, tag, concurrency, interval, wires.beat, ended))
            try:
                await worker.run()
            finally:
                ended.set()
                _leave_within(LEAVE_SECONDS)
                beat.cancel()
                # Not `await beat`: a cancellation that comes with an answer of the database may be lost.
                await asyncio.wait({beat}, timeout=LEAVE_SECONDS / 2)
                if beat.done() and not beat.cancelled() and (error := beat.exception()):
                    logger.warning("The heartbeat had stopped: %s", error)
                await sync_to_async(_forget)(tag)


def _forget(tag: str) -> None:
    # A connection that was lost would stay lost.
    connections.close_all()
    WorkerProcess.objects.filter(tag=tag).delete()


def _leave_within(seconds: float) -> None:
    """End this process after so many seconds, whatever it still waits for."""

    def leave() -> None:
        logger.error("The worker stopped but did not end; it ends here")
        logging.shutdown()
        os._exit(NO_DATABASE)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def _supervisor_gone(loop, wire: int, worker: Worker) -> None:
    loop.remove_reader(wire)
    logger.warning("The supervisor of this worker is gone; finishing what is under way")
    worker.stop()


async def _beat(worker: _Worker, tag: str, concurrency: int, interval: float, wire: int, ended: asyncio.Event) -> None:
    """Say where this worker runs, then beat until it has ended.

    procrastinate's own heartbeat ends when a stop is asked for, while a long job may still be finishing: this one goes
    on, so that no one takes the job for lost. The supervisor hears of a beat only after the database has it, and of
    none once the worker does nothing any more.
    """
    while worker.worker_id is None:
        await asyncio.sleep(min(interval / 50, 0.1))
    worker_id = worker.worker_id
    row = WorkerProcess(
        tag=tag, worker_id=worker_id, host=socket.gethostname(), pid=os.getpid(), concurrency=concurrency
    )
    await sync_to_async(row.save)(force_insert=True)
    while not ended.is_set():
        if worker.works(within=interval * 6):
            try:
                await app.job_manager.update_heartbeat(worker_id)
                if worker.worker_id is not None:
                    await _leave_if_struck_off(worker_id)
            except ConnectorException as error:
                logger.warning("The heartbeat is not written: %s", error.__cause__ or error)
            else:
                if not ended.is_set():
                    with contextlib.suppress(BlockingIOError, BrokenPipeError):
                        os.write(wire, b".")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), interval)


async def _leave_if_struck_off(worker_id: int | None) -> None:
    rows = await app.connector.execute_query_all_async(
        "SELECT 1 AS here FROM procrastinate_workers WHERE id = %(worker_id)s", worker_id=worker_id
    )
    if not rows:
        logger.error("This worker was taken for lost and its jobs given to others; it ends here")
        logging.shutdown()
        # At once: any further step would be about a job that is no longer this worker's.
        os._exit(STRUCK_OFF)
