"""`manage.py import_test_run 47 report.xml …`: import a test report from the command line."""

import sys
from contextlib import ExitStack
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from missiondeck.management.run_arguments import add_ci_arguments, ci_run, find_mission, matching, open_file
from missiondeck.models import RunStatus
from missiondeck.services.runs import import_report
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Import a test report as a test run of a client mission. Its format is detected from its content."

    def add_arguments(self, parser) -> None:
        parser.add_argument("number", type=int, help="Number of the client mission, such as 47")
        parser.add_argument(
            "report",
            type=Path,
            nargs="+",
            help="Report file, zip archive of report files, or quoted pattern such as 'reports/**/*.xml'; - reads"
            " standard input. Several files, such as shards, become one run",
        )
        parser.add_argument("--logs", type=Path, help="Log file with the complete output of the tool")
        parser.add_argument(
            "--key",
            default="",
            help="Identifies the run, such as a build number; the same report under another key is a new run",
        )

        add_ci_arguments(parser)

    def handle(self, *, number: int, report: list[Path], logs: Path | None, key: str, **options) -> None:
        ci, mission = ci_run(options), find_mission(number)
        with ExitStack() as stack:
            file, *more = (stack.enter_context(open_file(path)) for path in matching(report))
            output = stack.enter_context(open_file(logs))
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
