import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from groups.models.directory import PrimaryRole
from groups.services.import_columns import CHOOSABLE
from groups.services.import_files import ImportChoices
from groups.services.imports import import_members
from missionsite.common.csvfiles import ENCODINGS
from missionsite.common.errors import DomainError


class ImportCommand(BaseCommand):
    """A command that imports a file. service: what imports it. columns: what a column can be imported as."""

    service: Any
    columns: Collection[str]

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, help="A table with a header row.")
        parser.add_argument("--dry-run", action="store_true", help="Only check; write nothing.")
        parser.add_argument("--skip-bad", action="store_true", help="Import the valid lines when others have errors.")
        parser.add_argument("--errors", type=Path, help="Write every error to this file, as CSV.")

        parser.add_argument("--encoding", default="", choices=sorted(ENCODINGS), help="By default it is detected.")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="HEADING=COLUMN",
            help="Import a column as another one; HEADING= leaves it out. Columns: " + ", ".join(self.columns),
        )

    def handle(self, *args, **options) -> None:
        try:
            with options["file"].open("rb") as file:
                report = self._run(file, options)
        except OSError as error:
            raise CommandError(f"{error.filename} could not be opened: {error.strerror}.") from error
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection
        for note in report.notes:
            self.stdout.write(note)
        for each in report.warnings:
            where = f"line {each.line}" + (f", {each.column}" if each.column else "")
            self.stderr.write(f"{where}: warning: {each.sentence}")
        for each in report.errors:
            where = f"line {each.line}" + (f", {each.column}" if each.column else "")
            self.stderr.write(f"{where}: {each.sentence}")
        if report.error_count > len(report.errors):
            self.stderr.write(f"… and {report.error_count - len(report.errors)} more; --errors FILE writes them all.")
        did = "written" if report.written else "nothing was written"
        self.stdout.write(
            f"{report.lines} lines: {report.added} to add, {report.updated} to update, {report.unchanged} unchanged,"
            f" {report.rejected} with errors; {did}."
        )
        if report.error_count and not options["skip_bad"]:
            raise CommandError("Correct these lines and import again, or skip them with --skip-bad.")

    def _run(self, file, options):
        def progress(step: str, lines: int) -> None:
            if sys.stderr.isatty():
                self.stderr.write(f"{step}: {lines:,} lines\r", ending="")

        choices = {
            "actor": Member.objects.system(),
            "dry_run": options["dry_run"],
            "skip_bad": options["skip_bad"],
            "progress": progress,
            "choices": ImportChoices(
                encoding=options["encoding"],
                columns=pairs(options["column"], self.columns),
                roles=pairs(options.get("role", []), PrimaryRole.values),
            ),
            "name": options["file"].name,
        }
        if options["errors"] is None:
            return self.service(file=file, **choices)
        with options["errors"].open("wb") as errors_to:
            return self.service(file=file, errors_to=errors_to, **choices)


class Command(ImportCommand):
    help = "Add or update members from a CSV, XLSX, XLS or ODS file. Reports errors and warnings by line."
    service = staticmethod(import_members)
    columns = CHOOSABLE

    def add_arguments(self, parser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            metavar="TEXT=ROLE",
            help="Read a text as a role; =ROLE if it is empty.",
        )


def pairs(arguments: list[str], allowed: Collection[str]) -> dict[str, str]:
    """Return the arguments NAME=VALUE by name. Raises CommandError for a value that is not allowed."""
    found = {}
    for argument in arguments:
        name, equals, value = argument.rpartition("=")
        if not equals or (value and value not in allowed):
            raise CommandError(f"{argument!r} must be NAME=VALUE, with one of these values: {', '.join(allowed)}.")
        found[name] = value
    return found
