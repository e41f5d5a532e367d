"""Import of members and their directory entries from a CSV file."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils.translation import gettext

from groups.errors import EntryErased, EntryRemoved, ImportConflict, ImportRunning
from groups.models import CommunityMember, Member
from groups.models.directory import PrimaryRole
from groups.models.members import SYSTEM_MEMBER_ID
from groups.rules import MAX_TRUST_SCORE, CommunityStatus, normalize_username
from missionsite.common.constraints import CONTROL_CHARACTERS, ONE_LINE_ERROR
from missionsite.common.csvfiles import CsvFile
from missionsite.common.errors import DomainError, from_database, violated
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

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
# Matches nearly every address; Django's validator checks the others, as in every form.
_ORDINARY_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE | re.ASCII
)
_COPY = f"COPY import_lines (line, fault, fault_at, email_is_bad, {', '.join(COLUMNS)}) FROM STDIN WITH (NULL '')"
_ERRORS = (
    'SELECT line, column_name AS "column", sentence AS error FROM import_errors ORDER BY line, column_name, sentence'
)
# Conflicts with another transaction: unique violation, missing reference, serialization failure, deadlock.
# Source: PostgreSQL manual, appendix A.
_CONFLICT_STATES = ("23503", "23505", "40001", "40P01")


@dataclass(frozen=True)
class LineError:
    """An error of one row. line: the first line of the row in the file. column: empty for the row as a whole."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do if `written` is false; each line is in one of four counts.

    errors: the first of `error_count` errors; a line may have several.
    """

    lines: int
    added: int
    updated: int
    unchanged: int
    rejected: int
    error_count: int
    written: bool
    errors: list[LineError] = field(default_factory=list)


@service
def import_members(
    *,
    actor: Member,
    file: BinaryIO,
    dry_run: bool = False,
    skip_bad: bool = False,
    errors_to: BinaryIO | None = None,
    errors_kept: int = 100,
    progress: Callable[[str, int], None] | None = None,
) -> ImportReport:
    """Add or update the members of a CSV file: all of them or, if a line has an error, none.

    A row is matched by stable ID, else by e-mail, else it is a new member. With a telegram_id it also adds or changes
    the directory entry. Columns missing in the file do not change; an empty value clears an optional text, but not a
    trust score or a role. Rows without changes are not written.

    file: UTF-8, read in pieces, at most IMPORT_BYTES. skip_bad: import the valid lines when others have errors.
    dry_run: check only; writing would use up stable IDs and numbers. errors_to: receives every error as CSV.
    progress: called with the step (reading, checking, writing, done) and the number of lines; it must not use this
    database connection. actor: needs the right to change staff and administrators; the system member has it.
    Raises FileUnreadable, ImportRunning, ImportConflict.
    """
    report_progress = progress or (lambda step, lines: None)
    with _translate_conflicts(), connection.cursor() as cursor:
        if not dry_run:
            _lock_import(cursor)
        given, lines = _stage(cursor, file, report_progress)
        report_progress("checking", lines)
        _match_and_check(cursor, given, actor)
        cursor.execute("DELETE FROM import_rows r USING import_errors e WHERE e.line = r.line")
        cursor.execute(read_sql("groups/queries/import_count"))
        added, updated, good, error_count = cursor.fetchone()
        written = not dry_run and (skip_bad or not error_count)
        if written:
            report_progress("writing", good)
            _write(cursor, given, actor)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"{_ERRORS} LIMIT %s", [errors_kept])
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


def _lock_import(cursor: CursorWrapper) -> None:
    """Allow one import at a time. Raises ImportRunning without waiting."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
    if not cursor.fetchone()[0]:
        raise ImportRunning


def _stage(cursor: CursorWrapper, file: BinaryIO, report_progress: Callable[[str, int], None]) -> tuple[list[str], int]:
    """Copy the rows into a temporary table; returns the columns of the file and the number of rows."""
    csv_file = CsvFile(file, columns=COLUMNS, required=REQUIRED, largest=settings.IMPORT_BYTES)
    cursor.execute(read_sql("groups/queries/import_stage"))
    lines = 0
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        for lines, row in enumerate(_staged(csv_file), 1):
            copy.write_row(row)
            if lines % _STEP == 0:
                report_progress("reading", lines)
    cursor.execute("ANALYZE import_lines")
    return csv_file.columns, lines


def _staged(csv_file: CsvFile) -> Iterator[tuple]:
    """Yield the rows for COPY, normalized as in the forms; empty values become NULL."""
    place = {name: number for number, name in enumerate(csv_file.columns)}
    # Index -1 is the empty value of missing columns.
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
            normalize_username(telegram_name), role.lower().replace(" ", "_"), organization, country,
            normalize_username(github_name), member_id,
        )  # fmt: skip


def _is_email(value: str) -> bool:
    if len(value) <= 254 and _ORDINARY_EMAIL.fullmatch(value):
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _match_and_check(cursor: CursorWrapper, given: list[str], actor: Member) -> None:
    """Match each row with its member, find its changes, and collect all errors."""
    cursor.execute(
        read_sql("groups/queries/import_match"),
        {
            "given": given,
            "system": SYSTEM_MEMBER_ID,
            "max_trust_score": MAX_TRUST_SCORE,
            "changes_administrators": actor.is_system or actor.is_superuser,
            "changes_staff": actor.is_system or actor.has_perm("groups.grant_access"),
        },
    )
    cursor.execute(
        "INSERT INTO import_errors SELECT line, coalesce(fault_at, ''), fault FROM import_rows WHERE fault IS NOT NULL"
    )
    longest: dict[str, Any] = {
        name: _max_length(CommunityMember, name) for name in COLUMNS[3:-1] if name != "primary_role"
    }
    longest |= {"email": _max_length(Member, "email"), "name": _max_length(Member, "display_name")}
    texts = _error_texts()
    values = {"roles": PrimaryRole.values, "control_characters": CONTROL_CHARACTERS}
    cursor.execute(read_sql("groups/queries/import_check"), longest | values | texts)
    cursor.execute(read_sql("groups/queries/import_check_duplicates"), texts)


def _max_length(model: type[Model], field: str) -> int:
    return getattr(model._meta.get_field(field), "max_length")  # noqa: B009  (of a CharField)


def _error_texts() -> dict[str, str]:
    """Return the messages of errors by line: those of the constraints and services, and of this import.

    %s: the wrong value, the number of the other member, the most characters, or the earlier line.
    """
    return {
        "email_missing": gettext("Enter an e-mail address."),
        "email_invalid": gettext("“%s” is not a valid e-mail address."),
        "email_taken": _with_value(_message(violated("members_email_unique"))),
        "email_twice": gettext("This e-mail is already on line %s."),
        "name_missing": _message(violated("community_members_name_not_empty")),
        "score_negative": _message(violated("members_trust_score_not_negative")),
        "score_too_large": gettext("The trust score must be at most %(most)d.") % {"most": MAX_TRUST_SCORE},
        "score_invalid": gettext("The trust score must be a whole number, not “%s”."),
        "member_unknown": gettext("There is no member “%s”."),
        "member_twice": gettext("This member is already on line %s."),
        "protected": gettext(
            "This member has rights in the back office. Only staff who can grant rights can change them."
        ),
        "telegram_id_missing": _message(violated("community_members_telegram_id_not_empty")),
        "telegram_id_taken": _with_value(_message(violated("member_telegram_id_idx"))),
        "telegram_id_twice": gettext("This Telegram ID is already on line %s."),
        "role_missing": gettext("A new directory entry needs a role."),
        "role_unknown": gettext("There is no role “%(placeholder)s”. Valid roles are %(roles)s.")
        % {"placeholder": "%s", "roles": ", ".join(PrimaryRole.values)},
        "removed": _message(EntryRemoved()),
        "erased": _message(EntryErased()),
        "too_long": gettext("Enter at most %s characters."),
        "one_line": str(ONE_LINE_ERROR),
    }


def _message(error: DomainError) -> str:
    return str(error.message)


def _with_value(message: str) -> str:
    return f"{message.removesuffix('.')}: %s."


def _write(cursor: CursorWrapper, given: list[str], actor: Member) -> None:
    cursor.execute(read_sql("groups/queries/import_lock"))
    if not cursor.fetchone()[0]:
        raise ImportConflict
    values: dict[str, Any] = {"given": given, "actor": actor.pk, "status": CommunityStatus.PENDING}
    for query in ("import_add", "import_change_members", "import_change_entries"):
        cursor.execute(read_sql(f"groups/queries/{query}"), values)


def _copy_errors(cursor: CursorWrapper, errors_to: BinaryIO) -> None:
    with connection.wrap_database_errors, cursor.copy(f"COPY ({_ERRORS}) TO STDOUT WITH (FORMAT csv, HEADER)") as copy:
        for piece in copy:
            errors_to.write(piece)
