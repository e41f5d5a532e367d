"""`manage.py import_test_run 47 report.xml …`: import a test report from the command line."""

import sys
from argparse import ArgumentTypeError
from contextlib import ExitStack, nullcontext
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from missiondeck.models import DeckMission, RunStatus
from missiondeck.rules import MAX_SHARDS
from missiondeck.services.runs import CiRun, import_report
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Import a test report (JUnit XML or JSON) as a test run of a client mission."

    def add_arguments(self, parser) -> None:
        parser.add_argument("number", type=int, help="Number of the client mission, such as 47")
        parser.add_argument(
            "report",
            type=Path,
            nargs="+",
            help="Report file; - reads standard input. Several files, such as shards, become one run",
        )
        parser.add_argument("--logs", type=Path, help="Log file with the complete output of the tool")
        parser.add_argument(
            "--key",
            default="",
            help="Identifies the run, such as a build number; the same report under another key is a new run",
        )

        run = parser.add_argument_group(
            "run of CI", "Reports with the same commit or build and the same other values are one run."
        )
        run.add_argument("--commit", default="", help="The full commit hash")
        run.add_argument("--branch", default="")
        run.add_argument("--build-url", default="", help="URL of the build")
        run.add_argument("--job", default="", help="The suite, the same for all of its shards")
        run.add_argument("--attempt", type=int, default=1, help="Attempt of the build, from 1")
        run.add_argument("--environment", default="", help="Such as the operating system")
        run.add_argument("--shard", type=_shard, default=(None, None), help="Number of this shard and of all: 1/4")
        run.add_argument("--started-at", type=_instant, help="When the tests started, in ISO 8601 with a time zone")
        run.add_argument("--committed-at", type=_instant, help="When the commit was made, in ISO 8601 with a time zone")

    def handle(self, *, number: int, report: list[Path], logs: Path | None, key: str, **options) -> None:
        shard, shards = options["shard"]
        named = ("commit", "branch", "build_url", "job", "attempt", "environment", "started_at", "committed_at")
        ci = CiRun(shard=shard, shards=shards, **{name: options[name] for name in named})
        try:
            mission = DeckMission.objects.get(number=number)
        except (DeckMission.DoesNotExist, OverflowError):
            raise CommandError(f"Client mission {number} does not exist.") from None
        with ExitStack() as stack:
            file, *more = (stack.enter_context(_open_file(path)) for path in report)
            output = stack.enter_context(_open_file(logs))
            try:
                brought = import_report(
                    actor=Member.objects.system(),
                    mission=mission,
                    file=file,
                    more=more,
                    logs=output,
                    key=key,
                    ci=ci,
                    progress=self._progress(options["verbosity"]),
                )
            except DomainError as rejection:
                raise CommandError(f"{rejection.message} Nothing was imported.") from rejection
        for warning in brought.warnings:
            self.stderr.write(self.style.WARNING(f"warning: {warning}"))
        counts = brought.run.summary or {}
        if brought.run.status == RunStatus.RUNNING:
            self.stdout.write(f"{brought.run.parts} of {brought.run.shards or 'unknown'} shards received.")
        what = "Imported" if brought.is_new else "Already imported"
        self.stdout.write(
            f"{what}: {brought.run.get_status_display().lower()}; {counts['total']} tests, {counts['passed']} passed,"
            f" {counts['failed']} failed, {counts['errors']} errors, {counts['skipped']} skipped."
        )
        if brought.run.flaky_tests:
            self.stdout.write(f"Flaky: {', '.join(brought.run.flaky_tests[:20])}.")

    def _progress(self, verbosity: int):
        if verbosity < 1 or not sys.stderr.isatty():
            return None
        return lambda done: self.stderr.write(f"\r{done // 1024:,} KB read", ending="")


def _shard(text: str) -> tuple[int, int]:
    """1/4 as numbers. Raises ArgumentTypeError."""
    shard, _slash, shards = text.partition("/")
    if not (shard.isdecimal() and shards.isdecimal() and 1 <= int(shard) <= int(shards) <= MAX_SHARDS):
        raise ArgumentTypeError(f"{text} is not the number of a shard, such as 1/4")
    return int(shard), int(shards)


def _instant(text: str) -> datetime:
    """An instant with a time zone. Raises ArgumentTypeError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError(f"{text} is not a time with a zone, such as 2026-11-20T09:30:00Z")
    return instant


def _open_file(path: Path | None):
    """A file opened for reading bytes. Raises CommandError if it cannot be opened."""
    if path is None:
        return nullcontext()
    if str(path) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
