"""One worker process: procrastinate's worker, tagged, beating, and gone the moment it was struck off."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from dataclasses import dataclass
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections
from procrastinate.contrib.django import app
from procrastinate.worker import Worker

from missionsite.common.models import WorkerProcess
from missionsite.common.worker.watchdog import replace_lost_workers

logger = logging.getLogger(__name__)

# Exit codes the supervisor tells apart (sysexits.h).
NO_DATABASE = 69
STRUCK_OFF = 75


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


async def _work(tag: str, concurrency: int, stale_after: timedelta, wires: Wires) -> None:
    interval = stale_after.total_seconds() / 6
    with app.replace_connector(app.connector.get_worker_connector()):
        async with app.open_async():
            app.perform_import_paths()
            worker = Worker(
                app=app,
                **{
                    **app.worker_defaults,
                    "name": tag,
                    "concurrency": concurrency,
                    "install_signal_handlers": False,
                    "update_heartbeat_interval": interval,
                    "stalled_worker_timeout": stale_after.total_seconds(),
                    "worker_middleware": [_still_listed],
                },
            )
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, worker.stop)
            loop.add_reader(wires.supervisor, _supervisor_gone, loop, wires.supervisor, worker)
            beat = asyncio.create_task(_beat(worker, tag, concurrency, interval, wires.beat))
            try:
                await worker.run()
            finally:
                beat.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await beat
                await sync_to_async(WorkerProcess.objects.filter(tag=tag).delete)()


def _supervisor_gone(loop, wire: int, worker: Worker) -> None:
    loop.remove_reader(wire)
    logger.warning("The supervisor of this worker is gone; finishing what is under way")
    worker.stop()


async def _beat(worker: Worker, tag: str, concurrency: int, interval: float, wire: int) -> None:
    """Say where this worker runs, then beat until cancelled.

    procrastinate's own heartbeat ends when a stop is asked for, while a long job may still be finishing: this one goes
    on, so that nobody takes the job for lost. The supervisor hears of a beat only after the database has it.
    """
    while worker.worker_id is None:
        await asyncio.sleep(min(interval / 50, 0.1))
    worker_id = worker.worker_id
    row = WorkerProcess(
        tag=tag, worker_id=worker_id, host=socket.gethostname(), pid=os.getpid(), concurrency=concurrency
    )
    await sync_to_async(row.save)(force_insert=True)
    while True:
        await app.job_manager.update_heartbeat(worker_id)
        if worker.worker_id is not None:
            await _leave_if_struck_off(worker_id)
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(wire, b".")
        await asyncio.sleep(interval)


async def _still_listed(call_next, context, worker: Worker):
    """Around every job: a worker that was struck off meanwhile does not report on a job that is another's by now."""
    try:
        return await call_next()
    finally:
        await _leave_if_struck_off(worker.worker_id)


async def _leave_if_struck_off(worker_id: int | None) -> None:
    rows = await app.connector.execute_query_all_async(
        "SELECT 1 AS here FROM procrastinate_workers WHERE id = %(worker_id)s", worker_id=worker_id
    )
    if not rows:
        logger.error("This worker was taken for lost and its jobs given to others; it ends here")
        logging.shutdown()
        # At once: any further step would be about a job that is no longer this worker's.
        os._exit(STRUCK_OFF)
