"""Reads uploaded tables in pieces, with limits, and gives each row its line number as in an editor.

A CSV file is read as people have them: its encoding, separator and heading are detected. Sheets of XLSX, XLS and ODS
files are read by `missionsite.common.sheets` into the same form.
"""

import codecs
import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError

# Most characters of one row, including line breaks in quoted values; below the csv module's limit for a field.
LONGEST_ROW = 100_000
# Most rows of one file: the errors of all rows are kept until the end.
MOST_ROWS = 1_000_000
# The heading is looked for in the first lines: titles and empty lines may stand above it.
HEADING_WITHIN = 20
SEPARATORS = ",;\t|"
# Files up to this size stay in memory while their encoding is detected.
IN_MEMORY = 1 << 17

# The single-byte encodings that are told apart by the letters they give; any other one has to be named.
_GUESSED = ("cp1252", "mac_roman")
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp850": "DOS 850",
}
# ý, ð and þ are in few Western names, and stand for Turkish letters when Windows-1254 is read as Windows-1252.
_LETTERS = frozenset("áàâãäåæçéèêëíìîïñóòôõöøúùûüœßÁÀÂÃÄÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÕÖØÚÙÛÜŒ")
_IN_WORDS = frozenset("\u2019\u00b4ºª")
_BETWEEN_WORDS = frozenset("\u2018“”\u2013—…€°•")
_LINE_END = re.compile(rb"\r\n|\r|\n")
# A byte outside of ASCII and the one before it, or a run of three, which only other alphabets have.
_HIGH = re.compile(rb"[\x80-\xff]{3,}|[\x00-\x7f]?[\x80-\xff]")
_IMPOSSIBLE = -20
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)
_END_OF_FILE = "\x1a"
_BYTE_ORDER_MARK = "\ufeff"


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


class HeadingUnknown(FileUnreadable):
    """The columns of a file cannot be told by their headings. header: the headings, for the user to choose."""

    def __init__(self, header: Sequence[str], message: StrOrPromise) -> None:
        self.header = list(header)
        super().__init__(message)


class Row(NamedTuple):
    """One row. line: its first line. error: why it has no values. column: the column of the error, if any."""

    line: int
    values: list[str]
    error: str | None = None
    column: str = ""


class Table(Protocol):
    """A table with a heading. header: its cells, in order. notes: what was detected or passed over, as sentences."""

    header: list[str]
    header_line: int
    notes: list[str]

    def rows(self) -> Iterator[Row]:
        """Every row after the heading, except rows without any value, which spreadsheets leave behind."""
        ...


# The number of cells of a row that are known headings.
Recognize = Callable[[Sequence[str]], int]


class CsvFile:
    """A CSV file: reads the heading at once and the rows one by one, with one row and one block in memory.

    file: a binary file such as an upload. recognize: tells the heading from titles above it; the row with the most
    known cells is the heading. largest: most bytes. encoding: one of ENCODINGS; by default it is detected.
    Raises FileUnreadable, also while rows are read, for errors that make all rows unreliable.
    """

    def __init__(self, file: BinaryIO, *, recognize: Recognize, largest: int, encoding: str = "") -> None:
        self.notes: list[str] = []
        bounded = io.BufferedReader(_Bounded(file, largest), 1 << 16)
        self._text = self._decode(bounded, encoding)
        self._line = 0
        self._row_length = 0
        self._row_line = 1
        self._nul_seen = False
        self.separator = ""
        self.header, self.header_line, self._first = self._find_header(recognize)

    def rows(self) -> Iterator[Row]:
        width = len(self.header)
        self._line = self.header_line_end
        reader = csv.reader(self._lines(self._first), delimiter=self.separator, strict=True)
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
                if len(values) != width:
                    values = [*values, *[""] * (width - len(values))]
                    while len(values) > width and not values[-1]:
                        values.pop()
                row = Row(self._row_line, values)
                if len(values) != width:
                    row = Row(self._row_line, [], _column_count_message(len(values), width))
                elif self._nul_seen:
                    column = next(name for name, value in zip(self.header, values, strict=True) if "\x00" in value)
                    row = Row(self._row_line, [], gettext("This value contains a NUL character."), column)
            count += 1
            if count > MOST_ROWS:
                raise too_many_rows()
            yield row

    # --- Encoding -----------------------------------------------------------------------------

    def _decode(self, file: Any, encoding: str) -> io.TextIOWrapper:
        """Return the text of a file in the given or detected encoding, from its beginning."""
        start = file.peek(4)[:4]
        if not encoding and start.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        if not encoding and len(start) > 1 and (start[0] == 0) != (start[1] == 0):
            encoding = "utf-16"
        if encoding == "utf-16" and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16-be" if start[:1] == b"\x00" else "utf-16-le"
        copy: BinaryIO = file
        if not encoding:
            copy = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - closed with its reader
            encoding = self._detect(file, copy)
            copy.seek(0)
        if encoding != "utf-8":
            label = ENCODINGS.get(encoding, "UTF-16")
            self.notes.append(gettext("Encoding: %(name)s.") % {"name": label})
        return io.TextIOWrapper(copy, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")

    def _detect(self, file: BinaryIO, copy: BinaryIO) -> str:
        """Copy the file and return its encoding. Raises FileUnreadable if the letters of no encoding fit."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        scores = dict.fromkeys(_GUESSED, 0)
        is_utf8, multibyte, line, bad_line = True, False, 1, 0
        while piece := file.read(1 << 16):
            copy.write(piece)
            if is_utf8:
                try:
                    text = decoder.decode(piece)
                    multibyte = multibyte or not text.isascii()
                except UnicodeDecodeError as error:
                    is_utf8 = False
                    good = error.object[: error.start]
                    multibyte = multibyte or not good.isascii()
                    bad_line = line + len(_LINE_END.findall(good))
                line += len(_LINE_END.findall(piece))
            if not is_utf8 and not piece.isascii():
                _score(piece, scores)
        if is_utf8:
            try:
                decoder.decode(b"", True)
            except UnicodeDecodeError:
                is_utf8, bad_line = False, line
            else:
                return "utf-8"
        if multibyte:
            # Most of it is UTF-8, so that every guess would change other lines.
            raise FileUnreadable(
                _("Line {line} is not UTF-8 text, unlike lines before it. Correct this line in an editor.").format(
                    line=bad_line
                )
            )
        best, second = sorted(scores.values(), reverse=True)
        if best <= 0 or best == second:
            raise FileUnreadable(
                _(
                    "Line {line} is not UTF-8 text, and the encoding of the file cannot be detected. Choose the"
                    " encoding, or save the file as CSV in UTF-8."
                ).format(line=bad_line)
            )
        return max(_GUESSED, key=lambda name: scores[name])

    # --- Heading ------------------------------------------------------------------------------

    def _find_header(self, recognize: Recognize) -> tuple[list[str], int, list[str]]:
        """Return the heading, its line, and the lines read after it."""
        lines = list(self._first_lines())
        if not any(line.strip() for line in lines):
            raise FileUnreadable(_("The file is empty."))
        self.separator = next(iter(_stated_separators(lines)), "")
        best: tuple[int, int, int, str, list[str], int] | None = None
        for separator in self.separator or SEPARATORS:
            reader = csv.reader(iter(lines), delimiter=separator)
            start = 0
            while start < len(lines):
                try:
                    cells = [cell.strip(" \t\r\n\ufeff\u00a0") for cell in next(reader)]
                except (StopIteration, csv.Error):
                    break
                known = recognize(cells)
                # The most known cells win, then the earliest line, then the most cells.
                rank = (known, -start, len(cells), separator, cells, reader.line_num)
                if known and (best is None or rank[:3] > best[:3]):
                    best = rank
                start = reader.line_num
        if best is None:
            first = next(line for line in lines if line.strip() and not _SEPARATOR_LINE.fullmatch(line))
            separator = self.separator or max(SEPARATORS, key=first.count)
            raise HeadingUnknown(
                [cell.strip() for cell in next(csv.reader([first], delimiter=separator))],
                _(
                    "No known column heading is in the first {lines} lines, such as {example}. The file begins with"
                    " {text}."
                ).format(lines=HEADING_WITHIN, example="email, name", text=quoted(first.strip())),
            )
        _known, start, _width, self.separator, cells, end = best
        while cells and not cells[-1]:
            cells.pop()
        self.header_line_end = end
        above = [line.strip(" \t\r\n,;|") for line in lines[:-start]]
        if skipped := [line for line in above if line and not _SEPARATOR_LINE.fullmatch(line)]:
            self.notes.append(
                gettext("Not read, above the heading: %(lines)s") % {"lines": ", ".join(map(quoted, skipped))}
            )
        if self.separator != ",":
            name = {";": ";", "\t": gettext("tab"), "|": "|"}.get(self.separator, self.separator)
            self.notes.append(gettext("Separator: %(name)s") % {"name": name})
        return cells, 1 - start, lines[end:]

    def _first_lines(self) -> Iterator[str]:
        """The lines in which the heading may be: HEADING_WITHIN lines that are not empty."""
        count = 0
        for line in self._lines([]):
            yield line.lstrip(_BYTE_ORDER_MARK) if self._line == 1 else line
            count += bool(line.strip())
            if count == HEADING_WITHIN:
                return
            self._row_length, self._row_line = 0, self._line + 1

    # --- Lines --------------------------------------------------------------------------------

    def _lines(self, first: list[str]) -> Iterator[str]:
        """The lines of the file, with line ends. Raises FileUnreadable if one is not text or a row is too long."""
        for line in chain(first, iter(self._next_line, "")):
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
            # The end of a file of DOS.
            yield line.rstrip(_END_OF_FILE) if line.endswith(_END_OF_FILE) else line

    def _next_line(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW + 1)
        except UnicodeDecodeError as error:
            line = self._line + 1 + len(_LINE_END.findall(error.object[: error.start]))
            raise FileUnreadable(
                _(
                    "Line {line} is not text in this encoding. Choose another encoding, or save the file in UTF-8."
                ).format(line=line)
            ) from error

    def _error_message(self, error: csv.Error) -> str:
        if "unexpected end" in str(error):
            # Everything after it may be inside or outside the quotation.
            raise FileUnreadable(
                _("A quotation mark opens on line {row_line} and never closes.").format(row_line=self._row_line)
            ) from error
        return gettext(
            "After a closing quotation mark, only a separator may follow. Inside a quoted value, write a quotation"
            " mark twice."
        )


def _score(piece: bytes, scores: dict[str, int]) -> None:
    """Add to the score of each encoding: 1 for what Western European words have, _IMPOSSIBLE for what they have not."""
    counts: dict[bytes, int] = {}
    for found in _HIGH.findall(piece):
        counts[found] = counts.get(found, 0) + 1
    for name in scores:
        for found, count in counts.items():
            scores[name] += count * _likelihood(found.decode(name, errors="replace"))


def _likelihood(text: str) -> int:
    before, character = text[:-1], text[-1]
    if len(text) > 2:
        return _IMPOSSIBLE
    if character in _LETTERS:
        return _IMPOSSIBLE if character.isupper() and before.islower() else 1
    if character in _BETWEEN_WORDS:
        return _IMPOSSIBLE if before.isalpha() else 1
    return 1 if character in _IN_WORDS else _IMPOSSIBLE


def _stated_separators(lines: list[str]) -> Iterator[str]:
    """The separator that Excel writes on a line of its own, such as sep=; above everything else."""
    for line in lines:
        if line.strip():
            if match := _SEPARATOR_LINE.fullmatch(line.rstrip("\r\n")):
                yield match[1]
            return


def too_many_rows() -> FileUnreadable:
    return FileUnreadable(_("The file has more than {most_rows:,} rows; split it.").format(most_rows=MOST_ROWS))


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


def quoted(name: str) -> str:
    """Return a text of a file in quotation marks, at most 40 characters, without control characters."""
    name = "".join(character if character.isprintable() else "?" for character in name)
    return f"“{name[:40]}…”" if len(name) > 40 else f"“{name}”"
