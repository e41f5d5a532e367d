"""CSV files that people bring: read piece by piece, bounded, each row with its line as an editor counts lines."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO, NamedTuple

from missionsite.common.errors import DomainError

# Characters of one row, however many lines its quoted values spread over; below what the csv module takes for a field.
LONGEST_ROW = 100_000
# Rows of one file: what is wrong with each is kept until the end.
MOST_ROWS = 1_000_000

_LINE_END = re.compile(rb"\r\n|\r|\n")


class FileUnreadable(DomainError):
    """This file cannot be read as CSV."""

    code = "file_unreadable"
    status = 422
    field = "file"


class Row(NamedTuple):
    """One row. line: where it begins. fault: why it has no values, in words. column: where, if it is in one."""

    line: int
    values: list[str]
    fault: str | None = None
    column: str = ""


class CsvFile:
    """The columns of a file at once, its rows one by one; no more than one row and one piece is in memory.

    file: binary, such as an upload; UTF-8 with or without byte order mark, separated by comma or semicolon.
    columns: names the header may have, in any order and case. required: those it must have. largest: bytes.
    Raises FileUnreadable, also while its rows are read, for what leaves no row to trust.
    """

    def __init__(self, file: BinaryIO, *, columns: Collection[str], required: Collection[str], largest: int) -> None:
        pieces = io.BufferedReader(_Bounded(file, largest), 1 << 16)
        self._text = io.TextIOWrapper(pieces, encoding="utf-8-sig", newline="")
        self._line = 0
        self._taken = 0
        self._begins = 1
        self._nul_seen = False
        header = next((line for line in self._lines() if line.strip()), None)
        if header is None:
            raise FileUnreadable("The file is empty.")
        self._separator = ";" if header.count(";") > header.count(",") else ","
        self.columns = self._read_header(header, columns, required)

    def rows(self) -> Iterator[Row]:
        """Every row after the header; rows without any value, as spreadsheets leave them, are passed over."""
        reader = csv.reader(self._lines(), delimiter=self._separator, strict=True)
        width = len(self.columns)
        count = 0
        while True:
            self._begins, self._taken, self._nul_seen = self._line + 1, 0, False
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                row = Row(self._begins, [], self._in_words(error))
            else:
                values = [value.strip() for value in values]
                if not any(values):
                    continue
                row = Row(self._begins, values)
                if len(values) != width:
                    row = Row(self._begins, [], _wrong_width(len(values), width))
                elif self._nul_seen:
                    column = next(name for name, value in zip(self.columns, values, strict=True) if "\x00" in value)
                    row = Row(self._begins, [], "This holds a NUL character, which is no text.", column)
            count += 1
            if count > MOST_ROWS:
                raise FileUnreadable(f"The file has more than {MOST_ROWS:,} rows; split it.")
            yield row

    def _lines(self) -> Iterator[str]:
        """The lines of the file, each with its end. Raises FileUnreadable for text that is not UTF-8 or too long."""
        while line := self._next_line():
            self._line += 1
            self._taken += len(line)
            self._nul_seen = self._nul_seen or "\x00" in line
            if self._taken > LONGEST_ROW:
                raise FileUnreadable(
                    f"The row that begins on line {self._begins} is longer than {LONGEST_ROW:,} characters."
                    " Perhaps a quotation mark opens there and never closes."
                )
            yield line

    def _next_line(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW + 1)
        except UnicodeDecodeError as error:
            line = self._line + 1 + len(_LINE_END.findall(error.object[: error.start]))
            raise FileUnreadable(
                f"Line {line} is not UTF-8 text. Save the file as CSV in UTF-8 and bring it again."
            ) from error

    def _read_header(self, header: str, known: Collection[str], required: Collection[str]) -> list[str]:
        try:
            names = [
                name.strip().lower() for name in next(csv.reader([header], delimiter=self._separator, strict=True))
            ]
        except csv.Error as error:
            raise FileUnreadable(f"The header on line {self._line} cannot be read: {error}.") from error
        for number, name in enumerate(names, 1):
            if not name:
                raise FileUnreadable(f"Column {number} has no name in the header on line {self._line}.")
            if name not in known:
                raise FileUnreadable(
                    f"There is no column {_shown(name)}. Columns are {', '.join(known)}, separated by , or ;."
                )
            if name in names[: number - 1]:
                raise FileUnreadable(f"The column {name} is there twice.")
        if missing := [name for name in required if name not in names]:
            raise FileUnreadable(f"The header on line {self._line} lacks {' and '.join(missing)}.")
        return names

    def _in_words(self, error: csv.Error) -> str:
        if "unexpected end" in str(error):
            # Everything from there on may or may not be inside the quotation.
            raise FileUnreadable(f"A quotation mark opens on line {self._begins} and never closes.") from error
        return (
            "After a quotation mark that closes comes a separator. Inside a quoted value, write a quotation mark twice."
        )


class _Bounded(io.RawIOBase):
    """A file of which only so many bytes can be read."""

    def __init__(self, file: BinaryIO, largest: int) -> None:
        self._file, self._largest, self._read = file, largest, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        piece = self._file.read(len(buffer))
        self._read += len(piece)
        if self._read > self._largest:
            raise FileUnreadable(f"The file is larger than {self._largest:,} bytes; split it.")
        buffer[: len(piece)] = piece
        return len(piece)


def _wrong_width(found: int, expected: int) -> str:
    return f"This line has {found} value{'s' if found != 1 else ''}; the header names {expected} columns."


def _shown(name: str) -> str:
    name = "".join(character if character.isprintable() else "?" for character in name)
    return f"“{name[:40]}…”" if len(name) > 40 else f"“{name}”"
