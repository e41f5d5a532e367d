"""Jobs for the worker tests. They report through files, so that a test in another process can wait for them."""

import asyncio
import contextlib
import os
from pathlib import Path

from procrastinate.contrib.django import app
from procrastinate.manager import JobManager

from missionsite.common.worker import fence, process

if os.environ.get("TEST_NO_FENCE"):
    fence.check = lambda connection: None

if os.environ.get("TEST_LOSE_CANCELLATION"):
    written = JobManager.update_heartbeat

    async def update_heartbeat(self, worker_id: int) -> None:
        """Write the heartbeat, wait to be cancelled, and lose that: as asyncio.wait_for of Python 3.11 loses it when
        the connection it waits for comes at the same time. Source: CPython issue 86296.
        """
        await written(self, worker_id)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    JobManager.update_heartbeat = update_heartbeat


if os.environ.get("TEST_DECIDE_FIRST"):
    # A worker that was frozen and deregistered finds out by its next heartbeat or request for a job, and exits. What
    # comes first is chance, so both wait until the transaction of the job has been committed or rejected.
    exit_if_deregistered, fetch_job = process._exit_if_deregistered, JobManager.fetch_job

    async def _decided() -> None:
        report = Path(os.environ["TEST_DECIDE_FIRST"])
        while report.with_suffix(".frozen").exists() and report.read_text().split() == ["started"]:
            await asyncio.sleep(0.02)

    async def _exit_after_decision(worker_id: int | None) -> None:
        await _decided()
        await exit_if_deregistered(worker_id)

    async def _fetch_after_decision(self, *arguments, **options):
        await _decided()
        return await fetch_job(self, *arguments, **options)

    process._exit_if_deregistered = _exit_after_decision
    JobManager.fetch_job = _fetch_after_decision


def _note(path: str, word: str) -> None:
    # One write of a few bytes in append mode: lines of two processes do not mix.
    with Path(path).open("a") as report:
        report.write(f"{word}\n")


@app.task(name="tests.note")
def note(report: str, word: str) -> None:
    _note(report, word)


@app.task(name="tests.hold")
def hold(report: str, gate: str) -> None:
    """Report the start, wait for someone to open the gate (a FIFO), report the end."""
    _note(report, "started")
    with Path(gate).open() as opened:
        opened.read()
    _note(report, "done")


@app.task(name="tests.hold_row")
def hold_row(report: str, gate: str) -> None:
    """Write a row in a transaction that stays open until the gate is opened."""
    from django.db import DatabaseError, transaction

    from missionsite.common.models import Heartbeat

    try:
        with transaction.atomic():
            Heartbeat.objects.create(name=f"written-{Path(report).stat().st_size}")
            _note(report, "started")
            with Path(gate).open() as opened:
                opened.read()
    except DatabaseError:
        _note(report, "rejected")
        raise
    _note(report, "done")


@app.task(name="tests.name_supervisor")
def name_supervisor(report: str) -> None:
    """Report which supervisor's worker ran this, once the database has answered."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    _note(report, str(os.getppid()))


@app.task(name="tests.fail_once")
def fail_once(report: str) -> None:
    """Fail at the first run."""
    was_run = Path(report).exists()
    _note(report, "run")
    if not was_run:
        raise ValueError("the first run fails")


@app.task(name="tests.write_effect")
def write_effect(key: str) -> None:
    """Write one row for the key; running again changes nothing, as every task has to ensure."""
    from django.db import transaction

    from missionsite.common.models import Heartbeat

    with transaction.atomic():
        Heartbeat.objects.bulk_create([Heartbeat(name=f"effect-{key}")], ignore_conflicts=True)
