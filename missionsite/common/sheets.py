"""Reads the first filled sheet of XLSX, XLS and ODS files as a table, and writes tables as XLSX."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO
from xml.sax.saxutils import escape

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineError, CalamineWorkbook

from missionsite.common.csvfiles import (
    HEADING_WITHIN,
    MOST_ROWS,
    FileUnreadable,
    HeadingUnknown,
    Recognize,
    Row,
    quoted,
    too_many_rows,
)
from missionsite.common.xlsx_parts import CONTENT_TYPES, MAIN, RELATIONS, WORKBOOK

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# Most bytes of the parts of a file when decompressed, and how much larger than the file they may be.
LARGEST_DECOMPRESSED = 400_000_000
# Integers above lose digits in a spreadsheet.
_EXACT = 10**15
IN_MEMORY = 1 << 20


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a workbook: XLSX and ODS are ZIP files, XLS is an OLE file."""
    return start.startswith((_ZIP, _OLE))


class SheetFile:
    """The first sheet with a known heading. Lines are the numbers of its rows. See missionsite.common.csvfiles.Table.

    Raises FileUnreadable for files that are no workbook, protected by a password, or too large.
    """

    def __init__(self, file: BinaryIO, *, recognize: Recognize, largest: int) -> None:
        content = file.read(largest + 1)
        if len(content) > largest:
            raise FileUnreadable(_("The file is larger than {largest:,} bytes; split it.").format(largest=largest))
        self.notes: list[str] = []
        self._sheet, self.header, self.header_line = self._find(_open(content), recognize)

    def _find(self, book: CalamineWorkbook, recognize: Recognize) -> tuple[Any, list[str], int]:
        best: tuple[int, int, Any, list[str], str] | None = None
        first: list[str] = []
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height > MOST_ROWS + HEADING_WITHIN:
                raise too_many_rows()
            for number, cells in enumerate(sheet.iter_rows()):
                if number == HEADING_WITHIN:
                    break
                texts = [_text(cell)[0].strip() for cell in cells]
                first = first or (texts if any(texts) else [])
                known = recognize(texts)
                if known and (best is None or known > best[0]):
                    best = (known, number, sheet, texts, name)
        if best is None:
            raise HeadingUnknown(
                first,
                _("No known column heading is in the first {lines} rows of a sheet, such as {example}.").format(
                    lines=HEADING_WITHIN, example="email, name"
                ),
            )
        _known, number, sheet, header, name = best
        while header and not header[-1]:
            header.pop()
        if len(book.sheet_names) > 1:
            self.notes.append(gettext("Sheet: %(name)s") % {"name": quoted(name)})
        self._offset = sheet.start[0] if sheet.start else 0
        self._skip = number + 1
        return sheet, header, number + 1 + self._offset

    def rows(self) -> Iterator[Row]:
        """Every row after the heading, except rows without any value."""
        width = len(self.header)
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            if number <= self._skip:
                continue
            line = number + self._offset
            values, error, column = [], None, ""
            for name, cell in zip([*self.header, *[""] * (len(cells) - width)], cells, strict=False):
                text, fault = _text(cell)
                values.append(text.strip())
                if fault and not error and name:
                    error, column = fault, name
            if not any(values):
                continue
            if any(values[width:]):
                error = gettext("There is a value to the right of the last column of the heading.")
            yield Row(line, [], error, column) if error else Row(line, (values + [""] * width)[:width])


def _open(content: bytes) -> CalamineWorkbook:
    try:
        if content.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(content)) as parts:
                if sum(part.file_size for part in parts.infolist()) > LARGEST_DECOMPRESSED:
                    raise FileUnreadable(_("The sheets of this file are too large; save it as CSV or split it."))
        return CalamineWorkbook.from_object(io.BytesIO(content))
    except (CalamineError, zipfile.BadZipFile, ValueError, OSError) as error:
        raise FileUnreadable(
            _("This file cannot be read as XLSX, XLS or ODS. If it has a password, remove it, or save it as CSV.")
        ) from error


def _text(cell: Any) -> tuple[str, str | None]:
    """Return the text of a cell, and what is wrong with it."""
    if isinstance(cell, str):
        return cell, None
    if isinstance(cell, bool):
        return str(cell).lower(), None
    if isinstance(cell, float) and cell.is_integer():
        if abs(cell) >= _EXACT:
            return str(int(cell)), gettext(
                "A spreadsheet keeps 15 digits of a number, so the last digits of this one are lost. Format the column"
                " as text and enter it again."
            )
        return str(int(cell)), None
    if isinstance(cell, datetime | date | time):
        return cell.isoformat(), None
    if isinstance(cell, timedelta):
        return str(cell), None
    return str(cell), None


# --- Writing ------------------------------------------------------------------------------------


def write_xlsx(rows: Iterable[Sequence[str]]) -> IO[bytes]:
    """Return an XLSX file of one sheet, at its beginning. Every cell is text, so that no program changes a value."""
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as parts:
        parts.writestr("[Content_Types].xml", CONTENT_TYPES)
        parts.writestr("_rels/.rels", RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"))
        parts.writestr("xl/workbook.xml", WORKBOOK)
        parts.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        with parts.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for row in rows:
                cells = "".join(
                    f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>' if text else "<c/>"
                    for text in row
                )
                sheet.write(f"<row>{cells}</row>".encode())
            sheet.write(b"</sheetData></worksheet>")
    file.seek(0)
    return file
