"""Members from a CSV file: people and their entries in the directory, added and brought up to date."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, connection, transaction

from groups.errors import EntryErased, EntryRemoved, ImportConflict, ImportRunning
from groups.models import CommunityMember, Member
from groups.models.directory import CommunityStatus, PrimaryRole
from groups.models.members import SYSTEM_MEMBER_ID
from groups.services import import_sql as sql
from missionsite.common.csvfiles import CsvFile
from missionsite.common.errors import from_database, translate_db_errors

COLUMNS = (
    "email",
    "name",
    "trust_score",
    "telegram_id",
    "telegram_username",
    "primary_role",
    "organization",
    "country",
    "github_username",
    "member_id",
)
REQUIRED = ("email", "name")
# How often `progress` is called while the file is read, in rows.
_STEP = 10_000
_LOCK = (19795, ord("I"))
# What nearly every address looks like; the others are asked of Django, as in every form.
_ORDINARY_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE | re.ASCII
)
# Another transaction was first: what is unique is taken, what is referred to is gone, or both waited for each other.
# Source: PostgreSQL manual, appendix A.
_CONFLICT_STATES = ("23503", "23505", "40001", "40P01")


@dataclass(frozen=True)
class LineError:
    """What is wrong with one row. line: where it begins in the file. column: empty when it is the row as a whole."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do where `written` is false: each of its lines is in one of four counts.

    errors: the first ones, of `error_count`; a line may have several.
    """

    lines: int
    added: int
    updated: int
    unchanged: int
    rejected: int
    error_count: int
    written: bool
    errors: list[LineError] = field(default_factory=list)


def import_members(
    *,
    file: BinaryIO,
    actor: Member | None = None,
    dry_run: bool = False,
    skip_bad: bool = False,
    errors_to: BinaryIO | None = None,
    errors_kept: int = 100,
    progress: Callable[[str, int], None] | None = None,
) -> ImportReport:
    """Add the people of a CSV file, or bring them up to date; all of them or, where a line is wrong, none.

    A row means the member of its stable ID, else of its e-mail, else someone new. With a telegram_id it also makes or
    changes their entry in the directory. A column the file lacks stays as it is; an empty value empties an optional
    text, and leaves a trust score or a role as it is. Rows that change nothing are not touched.

    file: UTF-8, read in pieces, at most IMPORT_BYTES. skip_bad: take the good lines where others are wrong.
    dry_run: everything but the writing itself, which would use up stable IDs and numbers. errors_to: gets every error
    as CSV. progress: called with what is being done (reading, checking, writing, done) and how many lines there are so
    far; it cannot use this connection to the database.
    actor: staff and administrators are changed for those who may do so by hand; None is the command line, which may.
    Raises FileUnreadable, ImportRunning, ImportConflict.
    """
    report_progress = progress or (lambda step, lines: None)
    with translate_db_errors(), _translate_conflicts(), transaction.atomic(), connection.cursor() as cursor:
        if not dry_run:
            _lock_import(cursor)
        given, lines = _stage(cursor, file, report_progress)
        report_progress("checking", lines)
        _match_and_check(cursor, given, actor)
        cursor.execute(sql.DELETE_REJECTED)
        cursor.execute(sql.COUNT)
        added, updated, good, error_count = cursor.fetchone()
        written = not dry_run and (skip_bad or not error_count)
        if written:
            report_progress("writing", good)
            _write(cursor, given, actor)
        cursor.execute(sql.FIRST_ERRORS, [errors_kept])
        report = ImportReport(
            lines=lines,
            added=added,
            updated=updated,
            unchanged=good - added - updated,
            rejected=lines - good,
            error_count=error_count,
            written=written,
            errors=[LineError(*row) for row in cursor.fetchall()],
        )
        if errors_to is not None:
            _copy_errors(cursor, errors_to)
        if not written:
            transaction.set_rollback(True)
        report_progress("done", lines)
    return report


@contextmanager
def _translate_conflicts() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in _CONFLICT_STATES:
            raise ImportConflict(from_database(error)) from error
        raise


def _lock_import(cursor) -> None:
    """One import at a time; whoever comes second is told so at once."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
    if not cursor.fetchone()[0]:
        raise ImportRunning


def _stage(cursor, file: BinaryIO, report_progress: Callable[[str, int], None]) -> tuple[list[str], int]:
    """Bring the rows into a temporary table. Returns the columns the file has, and how many rows."""
    csv_file = CsvFile(file, columns=COLUMNS, required=REQUIRED, largest=settings.IMPORT_BYTES)
    cursor.execute(sql.CLEAR)
    cursor.execute(sql.STAGE)
    lines = 0
    with connection.wrap_database_errors, cursor.copy(sql.COPY) as copy:
        for lines, row in enumerate(_staged(csv_file), 1):
            copy.write_row(row)
            if lines % _STEP == 0:
                report_progress("reading", lines)
    cursor.execute("ANALYZE import_lines")
    return csv_file.columns, lines


def _staged(csv_file: CsvFile) -> Iterator[tuple]:
    """The rows as COPY takes them, tidied as the forms of the site do it; what is empty arrives as NULL."""
    place = {name: number for number, name in enumerate(csv_file.columns)}
    # At -1 is the empty value of every column that is not there.
    in_order = itemgetter(*(place.get(name, -1) for name in COLUMNS))
    nothing = ("",) * len(COLUMNS)
    for line, values, fault, column in csv_file.rows():
        if fault:
            yield str(line), fault, column, "f", *nothing
            continue
        values.append("")
        (
            email, name, score, telegram_id, telegram_name, role, organization, country, github_name, member_id,
        ) = in_order(values)  # fmt: skip
        email_is_bad = email != "" and not _is_email(email)
        if not (email_is_bad or email.islower()):
            email = Member.objects.normalize_email(email)
        yield (
            str(line), "", "", "t" if email_is_bad else "f", email, name, score, telegram_id,
            telegram_name.removeprefix("@"), role.lower().replace(" ", "_"), organization, country,
            github_name.removeprefix("@"), member_id,
        )  # fmt: skip


def _is_email(value: str) -> bool:
    if len(value) <= 254 and _ORDINARY_EMAIL.fullmatch(value):
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _match_and_check(cursor, given: list[str], actor: Member | None) -> None:
    """Find whom each row means and what it changes, and write down everything that is wrong."""
    longest = {
        name: CommunityMember._meta.get_field(name).max_length for name in COLUMNS[3:-1] if name != "primary_role"
    }
    cursor.execute(
        sql.MATCH,
        {
            "given": given,
            "system": SYSTEM_MEMBER_ID,
            "changes_administrators": actor is None or actor.is_superuser,
            "changes_staff": actor is None or actor.has_perm("groups.grant_access"),
        },
    )
    cursor.execute(sql.CHECK_FAULTS)
    cursor.execute(
        sql.CHECK,
        {
            **longest,
            "email": Member._meta.get_field("email").max_length,
            "name": Member._meta.get_field("display_name").max_length,
            "roles": PrimaryRole.values,
            "removed": EntryRemoved().message,
            "erased": EntryErased().message,
            "protected": "This member has rights in the back office. Only staff who can grant rights can change them.",
        },
    )
    cursor.execute(sql.CHECK_TWICE)


def _write(cursor, given: list[str], actor: Member | None) -> None:
    cursor.execute(sql.LOCK)
    if not cursor.fetchone()[0]:
        raise ImportConflict
    values = {"given": given, "actor": actor and actor.pk, "status": CommunityStatus.PENDING}
    for statement in sql.WRITES:
        cursor.execute(statement, values)


def _copy_errors(cursor, errors_to: BinaryIO) -> None:
    with connection.wrap_database_errors, cursor.copy(sql.ALL_ERRORS) as copy:
        for piece in copy:
            errors_to.write(piece)
