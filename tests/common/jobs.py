"""Jobs for the tests of the worker; they report through files, so that a test in another process can wait for them."""

from pathlib import Path

from procrastinate.contrib.django import app


def _note(path: str, word: str) -> None:
    # One write of a few bytes in append mode: lines of two processes do not mix.
    with Path(path).open("a") as report:
        report.write(f"{word}\n")


@app.task(name="tests.note")
def note(report: str, word: str) -> None:
    _note(report, word)


@app.task(name="tests.hold")
def hold(report: str, gate: str) -> None:
    """Report the start, wait for somebody to open the gate (a FIFO), report the end."""
    _note(report, "started")
    with Path(gate).open() as opened:
        opened.read()
    _note(report, "done")


@app.task(name="tests.hold_row")
def hold_row(report: str, gate: str) -> None:
    """Write a row in a transaction that stays open until the gate is opened."""
    from django.db import transaction

    from missionsite.common.models import Heartbeat

    with transaction.atomic():
        Heartbeat.objects.create(name=f"written-{Path(report).stat().st_size}")
        _note(report, "started")
        with Path(gate).open() as opened:
            opened.read()
    _note(report, "done")
