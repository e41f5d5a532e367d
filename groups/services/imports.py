"""Import of members and their directory entries from a CSV file or a spreadsheet."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from django.utils.translation import gettext

from groups.errors import ImportConflict, ImportRunning
from groups.models import CommunityMember, ImportMapping, Member
from groups.models.directory import PrimaryRole
from groups.models.members import SYSTEM_MEMBER_ID
from groups.rules import MAX_TRUST_SCORE, CommunityStatus
from groups.services.import_columns import COLUMNS, ColumnMap, map_columns
from groups.services.import_files import (
    NOTHING_CHOSEN,
    PREVIEWED,
    ImportChoices,
    ImportReport,
    LineError,
    RowChange,
    open_table,
)
from groups.services.import_mappings import columns_for, find_mapping, remember_mapping
from groups.services.import_texts import error_texts
from groups.services.import_values import (
    CLEAR,
    FORMULA,
    ROLES,
    clean_email,
    clean_github_name,
    clean_role,
    clean_score,
    clean_telegram_id,
    clean_telegram_name,
    clean_text,
    is_formula,
    needs_cleaning,
)
from missionsite.common.audit.events import audit
from missionsite.common.constraints import CONTROL_CHARACTERS
from missionsite.common.csvfiles import Table, quoted
from missionsite.common.errors import from_database
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# How often `progress` is called while the file is read, in rows.
_STEP = 10_000
# New people that are compared with those already there; the nightly search compares all.
COMPARED = 2_000
_LOCK = (19795, ord("I"))
# Matches nearly every address; Django's validator checks the others, as in every form.
_ORDINARY_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE | re.ASCII
)
_COPY = (
    f"COPY import_lines (line, fault, fault_at, problems, warnings, email_is_bad, {', '.join(COLUMNS)})"
    " FROM STDIN WITH (NULL '')"
)
_ERRORS = (
    'SELECT line, column_name AS "column", sentence AS error FROM import_errors ORDER BY line, column_name, sentence'
)
_UNKNOWN_ROLES = (
    "SELECT primary_role FROM import_lines WHERE primary_role <> ALL (%s) GROUP BY primary_role"
    " ORDER BY count(*) DESC, primary_role LIMIT 20"
)
# Conflicts with another transaction: unique violation, missing reference, serialization failure, deadlock.
# Source: PostgreSQL manual, appendix A.
_CONFLICT_STATES = ("23503", "23505", "40001", "40P01")


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
    choices: ImportChoices = NOTHING_CHOSEN,
    name: str = "",
) -> ImportReport:
    """Add or update the members of a file: all of them or, if a line has an error, none.

    A row is matched by stable ID or number, else by e-mail, else by Telegram ID, else it is a new member; without an
    e-mail it is a directory entry without an account. With a telegram_id it also adds or changes the directory entry.
    An empty cell changes nothing, and CLEAR empties an optional text. Rows without changes are not written.

    Columns that were chosen are remembered, and used for the next file with the same headings if none are chosen.

    file: CSV in any encoding and with any separator, read in pieces, XLSX, XLS or ODS; at most IMPORT_BYTES. skip_bad:
    import the valid lines when others have errors. dry_run: check only; writing would use up stable IDs and numbers.
    errors_to: receives every error as CSV. progress: called with the step (reading, checking, writing, done) and the
    number of lines; it must not use this database connection. name: of the file, for the event. actor: needs the right
    to change staff and administrators; the system member has it.
    Raises FileUnreadable, ImportRunning, ImportConflict.
    """
    report_progress = progress or (lambda step, lines: None)
    with _translate_conflicts(), connection.cursor() as cursor:
        if not dry_run:
            lock_imports(cursor)
        table = open_table(file, choices)
        remembered = None if choices.columns else find_mapping(table.header)
        if remembered:
            columns_before = columns_for(table.header, remembered)
            choices = replace(choices, columns=columns_before, roles={**remembered.roles, **choices.roles})
        columns = map_columns(table.header, chosen=choices.columns, line=table.header_line)
        lines = _stage(cursor, table, columns, choices, report_progress)
        report_progress("checking", lines)
        _match_and_check(cursor, actor)
        texts = error_texts()
        _delete_rejected(cursor)
        added, updated, good, error_count, swapped = _count(cursor)
        if swapped:
            while _rejected_swaps(cursor, texts):
                _delete_rejected(cursor)
            added, updated, good, error_count, swapped = _count(cursor)
        written = not dry_run and (skip_bad or not error_count)
        preview = [] if written else _preview(cursor)
        cursor.execute(read_sql("groups/queries/import_warnings"), texts | {"most": errors_kept, "compared": COMPARED})
        warnings = cursor.fetchall()
        if written:
            report_progress("writing", good)
            _write(cursor, actor, swapped=bool(swapped))
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            if choices.columns and not remembered:
                remember_mapping(
                    actor=actor, header=table.header, columns=dict(choices.columns), roles=dict(choices.roles)
                )
            if added or updated:
                audit("directory.imported", actor=actor, file=name[-200:], lines=lines, added=added, updated=updated)
        cursor.execute(f"{_ERRORS} LIMIT %s", [errors_kept])
        errors = [LineError(*row) for row in cursor.fetchall()]
        cursor.execute(_UNKNOWN_ROLES, [PrimaryRole.values])
        report = ImportReport(
            lines=lines,
            added=added,
            updated=updated,
            unchanged=good - added - updated,
            rejected=lines - good,
            error_count=error_count,
            written=written,
            errors=errors,
            warning_count=warnings[0][3] if warnings else 0,
            warnings=[LineError(*row[:3]) for row in warnings],
            notes=[*_notes(table, columns), *remembered_note(remembered)],
            columns=list(columns.columns),
            unknown_roles=[role for (role,) in cursor.fetchall()],
            preview=preview,
        )
        if errors_to is not None:
            _copy_errors(cursor, errors_to)
        if not written:
            transaction.set_rollback(True)
        report_progress("done", lines)
    return report


def _notes(table: Table, columns: ColumnMap) -> list[str]:
    notes = list(table.notes)
    if columns.ignored:
        notes.append(gettext("Columns not imported: %(names)s") % {"names": ", ".join(map(quoted, columns.ignored))})
    return notes


def remembered_note(remembered: ImportMapping | None) -> list[str]:
    """Return a note about columns that were chosen for an earlier file."""
    return [gettext("The columns were chosen as for the last file with these headings.")] if remembered else []


def _count(cursor: CursorWrapper) -> tuple[int, int, int, int, int]:
    cursor.execute(read_sql("groups/queries/import_count"))
    return cursor.fetchone()


def _delete_rejected(cursor: CursorWrapper) -> None:
    cursor.execute("DELETE FROM import_rows r USING import_errors e WHERE e.line = r.line")


def _rejected_swaps(cursor: CursorWrapper, texts: dict[str, str]) -> int:
    cursor.execute(read_sql("groups/queries/import_check_swaps"), texts)
    return cursor.rowcount


def _preview(cursor: CursorWrapper) -> list[RowChange]:
    cursor.execute(read_sql("groups/queries/import_preview"), {"most": PREVIEWED})
    return [
        RowChange(line, is_new, name, "" if is_new else stable_id, [tuple(c) for c in json.loads(changes)])
        for line, is_new, name, stable_id, changes in cursor.fetchall()
    ]


@contextmanager
def _translate_conflicts() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in _CONFLICT_STATES:
            raise ImportConflict(from_database(error)) from error
        raise


def lock_imports(cursor: CursorWrapper) -> None:
    """Allow one import at a time. Raises ImportRunning without waiting."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOCK)
    if not cursor.fetchone()[0]:
        raise ImportRunning


def _stage(
    cursor: CursorWrapper,
    table: Table,
    columns: ColumnMap,
    choices: ImportChoices,
    report_progress: Callable[[str, int], None],
) -> int:
    """Copy the rows into a temporary table; returns their number."""
    cursor.execute(read_sql("groups/queries/import_stage"))
    lines = 0
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        for lines, row in enumerate(_staged(table, columns, choices), 1):
            copy.write_row(row)
            if lines % _STEP == 0:
                report_progress("reading", lines)
    cursor.execute("ANALYZE import_lines")
    return lines


def _staged(table: Table, columns: ColumnMap, choices: ImportChoices) -> Iterator[tuple]:
    """Yield the rows for COPY, normalized as in the forms; empty values become NULL."""
    # Index -1 is the empty value of missing columns.
    in_order = itemgetter(*columns.places)
    nothing = ("",) * len(COLUMNS)
    problems: list[str] = []
    warnings: list[str] = []

    def reject(column: str, sentence: str) -> None:
        problems.append(f"{column}: {sentence}")

    def warn(column: str, sentence: str) -> None:
        warnings.append(f"{column}: {sentence}")

    for line, values, fault, column in table.rows():
        if fault:
            yield str(line), fault, column, "", "", "f", *nothing
            continue
        problems.clear()
        warnings.clear()
        if needs_cleaning(values):
            values = [clean_text(value, name, warn) for value, (_h, name) in zip(values, columns.columns, strict=True)]
        values.append("")
        (
            email, name, score, telegram_id, telegram_name, role, organization, country, github_name, member_id,
        ) = in_order(values)  # fmt: skip
        if columns.name_places:
            name = " ".join(filter(None, (values[place] for place in columns.name_places)))
        if email and not _ORDINARY_EMAIL.fullmatch(email):
            email = clean_email(email, warn)
        email_is_bad = email != "" and not _is_email(email)
        if not (email_is_bad or email.islower()):
            email = Member.objects.normalize_email(email)
        if score and not score.isdigit():
            score = clean_score(score)
        if telegram_id and not (telegram_id.isdigit() and telegram_id[0] != "0" and len(telegram_id) <= 20):
            telegram_id = clean_telegram_id(telegram_id, reject, warn)
        if telegram_name and telegram_name != CLEAR:
            telegram_name = clean_telegram_name(telegram_name, reject)
        if github_name and github_name != CLEAR:
            github_name = clean_github_name(github_name, reject)
        if role:
            role = ROLES.get(role) or clean_role(role, choices.roles, warn)
        elif telegram_id and choices.roles.get(""):
            role = choices.roles[""]
        for column, text in (("email", email), ("name", name), ("organization", organization), ("country", country)):
            if text[:1] == "=" and is_formula(text):
                reject(column, str(FORMULA))
        yield (
            str(line), "", "", "\n".join(problems), "\n".join(warnings), "t" if email_is_bad else "f", email, name,
            score, telegram_id, telegram_name, role, organization, country, github_name, member_id,
        )  # fmt: skip


def _is_email(value: str) -> bool:
    if len(value) <= 254 and _ORDINARY_EMAIL.fullmatch(value):
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _match_and_check(cursor: CursorWrapper, actor: Member) -> None:
    """Match each row with its member, find its changes, and collect all errors."""
    cursor.execute(
        read_sql("groups/queries/import_match"),
        {
            "clear": CLEAR,
            "system": SYSTEM_MEMBER_ID,
            "max_trust_score": MAX_TRUST_SCORE,
            "changes_administrators": actor.is_system or actor.is_superuser,
            "changes_staff": actor.is_system or actor.has_perm("groups.grant_access"),
        },
    )
    cursor.execute(
        "INSERT INTO import_errors SELECT line, coalesce(fault_at, ''), fault FROM import_rows WHERE fault IS NOT NULL"
    )
    longest = {name: _max_length(CommunityMember, name) for name in ("organization", "country")} | {
        "email": _max_length(Member, "email"),
        "name": _max_length(Member, "display_name"),
    }
    texts = error_texts()
    values: dict[str, Any] = {"roles": PrimaryRole.values, "control_characters": CONTROL_CHARACTERS}
    cursor.execute(read_sql("groups/queries/import_check"), longest | values | texts)
    cursor.execute(read_sql("groups/queries/import_check_duplicates"), texts)


def _max_length(model: type[Model], field: str) -> int:
    return getattr(model._meta.get_field(field), "max_length")  # noqa: B009  (of a CharField)


def _write(cursor: CursorWrapper, actor: Member, *, swapped: bool) -> None:
    cursor.execute(read_sql("groups/queries/import_lock"))
    if not cursor.fetchone()[0]:
        raise ImportConflict
    if swapped:
        cursor.execute(read_sql("groups/queries/import_release"))
    values: dict[str, Any] = {"actor": actor.pk, "status": CommunityStatus.PENDING}
    for query in ("import_add", "import_change_members", "import_change_entries"):
        cursor.execute(read_sql(f"groups/queries/{query}"), values)


def _copy_errors(cursor: CursorWrapper, errors_to: BinaryIO) -> None:
    with connection.wrap_database_errors, cursor.copy(f"COPY ({_ERRORS}) TO STDOUT WITH (FORMAT csv, HEADER)") as copy:
        for piece in copy:
            errors_to.write(piece)
