"""`manage.py import_test_run 47 report.xml …`: import a test report from the command line."""

import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from missiondeck.models import DeckMission
from missiondeck.services.runs import import_report
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

    def handle(self, *, number: int, report: list[Path], logs: Path | None, key: str, **options) -> None:
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
                    progress=self._progress(options["verbosity"]),
                )
            except DomainError as rejection:
                raise CommandError(f"{rejection.message} Nothing was imported.") from rejection
        for warning in brought.warnings:
            self.stderr.write(self.style.WARNING(f"warning: {warning}"))
        counts = brought.run.summary or {}
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
