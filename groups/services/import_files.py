"""Files of an import: what a user chose for one, reading its table, and the report about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from django.conf import settings

from groups.services.import_columns import distinct_headings, known_headings
from groups.services.import_mappings import known_shapes, shape_of
from missionsite.common.csvfiles import CsvFile, Table
from missionsite.common.sheets import SheetFile, is_workbook

# Rows that a report shows with their changes.
PREVIEWED = 100


@dataclass(frozen=True)
class LineError:
    """An error of one row. line: the first line of the row in the file. column: empty for the row as a whole."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True)
class RowChange:
    """What the import does with one row. changes: (column, before, after). stable_id: empty for a new one."""

    line: int
    is_new: bool
    name: str
    stable_id: str
    changes: list[tuple[str, str | None, str | None]]


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do if `written` is false; each line is in one of four counts.

    errors, warnings: the first of `error_count` and `warning_count`; a line may have several. notes: what was detected
    in the file, as sentences. columns: each heading with the column it is imported as; empty if it is not imported.
    unknown_roles: texts in the column of roles that name none. preview: the first rows that are added or changed.
    """

    lines: int
    added: int
    updated: int
    unchanged: int
    rejected: int
    error_count: int
    written: bool
    errors: list[LineError] = field(default_factory=list)
    warning_count: int = 0
    warnings: list[LineError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    unknown_roles: list[str] = field(default_factory=list)
    preview: list[RowChange] = field(default_factory=list)


@dataclass(frozen=True)
class ImportChoices:
    """What a user chose for a file. encoding: one of csvfiles.ENCODINGS; empty to detect it.

    columns: by heading, one of CHOOSABLE, or "" to leave it out; other headings are told by their names. roles: by the
    text in the file, one of PrimaryRole; the text "" stands for new entries without a role.
    """

    encoding: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


NOTHING_CHOSEN = ImportChoices()


def open_table(
    file: BinaryIO,
    choices: ImportChoices,
    *,
    known: Callable[[Sequence[str]], int] = known_headings,
    shape: Sequence[str] = (),
) -> Table:
    """Return the table of a file. Raises FileUnreadable.

    known: the number of cells of a row that are headings. shape: stands before the headings of a remembered file.
    """

    shapes = set() if choices.columns else known_shapes()

    def recognize(cells: Sequence[str]) -> int:
        if shapes and shape_of([*shape, *distinct_headings(cells)]) in shapes:
            return len(cells) + 1
        return known(cells) + sum(1 for cell in cells if choices.columns.get(cell))

    largest = settings.IMPORT_BYTES
    start = file.read(8)
    rest: BinaryIO = cast(BinaryIO, _Rejoined(start, file))
    if is_workbook(start):
        table: Table = SheetFile(rest, recognize=recognize, largest=largest)
    else:
        table = CsvFile(rest, recognize=recognize, largest=largest, encoding=choices.encoding)
    table.header = distinct_headings(table.header)
    return table


class _Rejoined:
    """A file of which the first bytes were read already."""

    def __init__(self, start: bytes, file: BinaryIO) -> None:
        self._start, self._file = start, file

    def read(self, size: int) -> bytes:
        if start := self._start:
            self._start = b""
            return start + self._file.read(max(size - len(start), 1)) if size > len(start) else start
        return self._file.read(size)
