"""Reads uploaded CSV files in pieces, with limits, and gives each row its line number as in an editor."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from missionsite.common.errors import DomainError

# Most characters of one row, including line breaks in quoted values; below the csv module's limit for a field.
LONGEST_ROW = 100_000
# Most rows of one file: the errors of all rows are kept until the end.
MOST_ROWS = 1_000_000

_LINE_END = re.compile(rb"\r\n|\r|\n")


def safe_cell(value: Any) -> str:
    """Format a value for a spreadsheet, with a quote before what would be a formula."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


class FileUnreadable(DomainError):
    message = _("This file cannot be read as CSV.")
    code = "file_unreadable"
    status = 422
    field = "file"


class Row(NamedTuple):
    """One row. line: its first line. error: why it has no values. column: the column of the error, if any."""

    line: int
    values: list[str]
    error: str | None = None
    column: str = ""


class CsvFile:
    """A CSV file: reads the header at once and the rows one by one, with one row and one block in memory.

    file: a binary file such as an upload, in UTF-8 with or without byte order mark, separated by comma or semicolon.
    columns: the allowed column names, in any order and case. required: the required ones. largest: most bytes.
    Raises FileUnreadable, also while rows are read, for errors that make all rows unreliable.
    """

    def __init__(self, file: BinaryIO, *, columns: Collection[str], required: Collection[str], largest: int) -> None:
        pieces = io.BufferedReader(_Bounded(file, largest), 1 << 16)
        self._text = io.TextIOWrapper(pieces, encoding="utf-8-sig", newline="")
        self._line = 0
        self._row_length = 0
        self._row_line = 1
        self._nul_seen = False
        header = next((line for line in self._lines() if line.strip()), None)
        if header is None:
            raise FileUnreadable(_("The file is empty."))
        self._separator = ";" if header.count(";") > header.count(",") else ","
        self.columns = self._read_header(header, columns, required)

    def rows(self) -> Iterator[Row]:
        """Every row after the header, except rows without any value, which spreadsheets leave behind."""
        reader = csv.reader(self._lines(), delimiter=self._separator, strict=True)
        width = len(self.columns)
        count = 0
        while True:
            self._row_line, self._row_length, self._nul_seen = self._line + 1, 0, False
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                row = Row(self._row_line, [], self._error_message(error))
            else:
                values = [value.strip() for value in values]
                if not any(values):
                    continue
                row = Row(self._row_line, values)
                if len(values) != width:
                    row = Row(self._row_line, [], _column_count_message(len(values), width))
                elif self._nul_seen:
                    column = next(name for name, value in zip(self.columns, values, strict=True) if "\x00" in value)
                    row = Row(self._row_line, [], str(_("This value contains a NUL character.")), column)
            count += 1
            if count > MOST_ROWS:
                raise FileUnreadable(
                    _("The file has more than {most_rows:,} rows; split it.").format(most_rows=MOST_ROWS)
                )
            yield row

    def _lines(self) -> Iterator[str]:
        """The lines of the file, with line ends. Raises FileUnreadable if it is not UTF-8 or a row is too long."""
        while line := self._next_line():
            self._line += 1
            self._row_length += len(line)
            self._nul_seen = self._nul_seen or "\x00" in line
            if self._row_length > LONGEST_ROW:
                raise FileUnreadable(
                    _(
                        "The row that begins on line {row_line} is longer than {longest_row:,} characters. Perhaps"
                        " a quotation mark opens there and never closes."
                    ).format(row_line=self._row_line, longest_row=LONGEST_ROW)
                )
            yield line

    def _next_line(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW + 1)
        except UnicodeDecodeError as error:
            line = self._line + 1 + len(_LINE_END.findall(error.object[: error.start]))
            raise FileUnreadable(
                _("Line {line} is not UTF-8 text. Save the file as CSV in UTF-8 and upload it again.").format(line=line)
            ) from error

    def _read_header(self, header: str, known: Collection[str], required: Collection[str]) -> list[str]:
        try:
            names = [
                name.strip().lower() for name in next(csv.reader([header], delimiter=self._separator, strict=True))
            ]
        except csv.Error as error:
            raise FileUnreadable(
                _("The header on line {line} cannot be read: {error}.").format(line=self._line, error=error)
            ) from error
        for number, name in enumerate(names, 1):
            if not name:
                raise FileUnreadable(
                    _("Column {number} has no name in the header on line {line}.").format(
                        number=number, line=self._line
                    )
                )
            if name not in known:
                raise FileUnreadable(
                    _("There is no column {name}. Columns are {names}, separated by , or ;.").format(
                        name=_quoted(name), names=", ".join(known)
                    )
                )
            if name in names[: number - 1]:
                raise FileUnreadable(_("The column {name} is there twice.").format(name=name))
        if missing := [name for name in required if name not in names]:
            raise FileUnreadable(
                _("The header on line {line} lacks {names}.").format(line=self._line, names=" and ".join(missing))
            )
        return names

    def _error_message(self, error: csv.Error) -> str:
        if "unexpected end" in str(error):
            # Everything after it may be inside or outside the quotation.
            raise FileUnreadable(
                _("A quotation mark opens on line {row_line} and never closes.").format(row_line=self._row_line)
            ) from error
        return str(
            _(
                "After a closing quotation mark, only a separator may follow. Inside a quoted value, write a quotation"
                " mark twice."
            )
        )


class _Bounded(io.RawIOBase):
    """A binary file that raises FileUnreadable when more than `largest` bytes are read."""

    def __init__(self, file: BinaryIO, largest: int) -> None:
        self._file, self._largest, self._read = file, largest, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self._read += len(piece)
        if self._read > self._largest:
            raise FileUnreadable(
                _("The file is larger than {largest:,} bytes; split it.").format(largest=self._largest)
            )
        buffer[: len(piece)] = piece
        return len(piece)


def _column_count_message(found: int, expected: int) -> str:
    text = ngettext(
        "This line has {found} value; the header names {expected} columns.",
        "This line has {found} values; the header names {expected} columns.",
        found,
    )
    return text.format(found=found, expected=expected)


def _quoted(name: str) -> str:
    name = "".join(character if character.isprintable() else "?" for character in name)
    return f"“{name[:40]}…”" if len(name) > 40 else f"“{name}”"
