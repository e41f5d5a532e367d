"""Zip archives of report files: one run, bounded, and never unpacked to a path."""

import io
import tracemalloc

import pytest

from missiondeck.reports import digest_of, read_report
from tests.missiondeck.reports.helpers import packed, read, rejected, statuses

GREEN = b"<testsuite name='a'><testcase name='a'/></testsuite>"
RED = b"<testsuite name='b'><testcase name='b'><failure/></testcase></testsuite>"


def test_archive_is_report_of_its_files():
    archive = packed(
        {"reports/": b"", "reports/a.xml": GREEN, "../../b": RED, "__MACOSX/._a.xml": b"x", ".DS_Store": b"x"}
    )
    report = read(archive)
    assert statuses(report) == {"a": "passed", "b": "failed"}
    assert report.digest == digest_of([io.BytesIO(archive)]) == digest_of([io.BytesIO(RED), io.BytesIO(GREEN)])
    assert report.warning_texts == []
    both = read_report(io.BytesIO(archive), more=[io.BytesIO(GREEN)])
    assert both.summary["total"] == 3


def test_other_files_are_ignored_with_warning():
    report = read(packed({"a.xml": GREEN, "picture.png": b"\x89PNG\r\n", "b.tap": b"1..1\nok 1 - c\n"}))
    assert statuses(report) == {"a": "passed", "c": "passed"}
    assert report.warning_texts == ["One file of the archive is not a test report and was ignored: picture.png."]


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "The zip archive contains no test report."),
        ({"a.txt": b"hello"}, "The zip archive contains no test report."),
        ({"a.xml": GREEN, "b.xml": b""}, "Report 2 of 2 (b.xml): The file is empty."),
        ({"a.xml": GREEN, "x/b.xml": RED[:30]}, "Report 2 of 2 (b.xml): The report is incomplete"),
        ({"a.xml": GREEN, "b.zip": packed({"b.xml": RED})}, "Report 2 of 2 (b.zip): The file is compressed with zip."),
        ({f"{number}.xml": b"" for number in range(1_001)}, "at most 1,000 files"),
        ({"a.xml": b"<a>" + b" " * 8 * 2**20 + b"</a>"}, "The zip archive is too large"),
        ({"n" * 60_000 + str(number): b"" for number in range(20)}, "More than 1,000 report files"),
    ],
    ids=["empty", "no report", "empty file", "cut off", "nested", "many", "ratio", "directory"],
)
def test_archive_is_rejected(files, message):
    archive = packed(files)
    tracemalloc.start()
    try:
        assert message in rejected(archive)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_unpacked_size_is_limited():
    assert "and 1 MiB, unpacked" in rejected(packed({"a.xml": b"<a>" + b" " * 2**20 + b"</a>"}), file_bytes=2**20)


def test_broken_archives_are_rejected():
    archive = packed({"a.xml": GREEN * 20})
    assert "cannot be read" in rejected(archive[:-30])
    damaged = bytearray(archive)
    damaged[45] ^= 0xFF
    assert "cannot be read" in rejected(bytes(damaged))
    # Marked as encrypted, in both headers.
    locked = bytearray(archive)
    locked[6] |= 1
    locked[archive.index(b"PK\x01\x02") + 8] |= 1
    assert "has a password" in rejected(bytes(locked))
