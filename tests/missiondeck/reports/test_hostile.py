"""Hostile files: a clear error or the right result, in bounded memory and time.

A build reads one in four of the largest, others the next day.
"""

import gzip
import io

import pytest

from missiondeck.reports import Limits, ReportRejected, read_report
from tests.missiondeck.reports.helpers import only, read, rejected
from tests.missiondeck.reports.streams import CONTROL, HOSTILE, MIB, Stream, measure, repeated
from tests.support.sample import share

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
]>
<testsuite name="&lol3;"><testcase name="a"/></testsuite>"""
EXTERNAL = """<!DOCTYPE testsuite [<!ENTITY secret SYSTEM "file:///etc/passwd">]>
<testsuite><testcase name="a"><failure>&secret;</failure></testcase></testsuite>"""
OUTSIDE = '<!DOCTYPE testsuite SYSTEM "http://example.org/junit.dtd"><testsuite><testcase name="a"/></testsuite>'


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize(("text", "line"), [(LAUGHS, 2), (EXTERNAL, 1), (OUTSIDE, 1), ("<!DOCTYPE html><html/>", 1)])
def test_document_type_is_rejected(text, line):
    assert rejected(text).startswith(f"Line {line} of the report declares a document type or entities")


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize("name", share(HOSTILE, of=8))
def test_memory_is_bounded(name):
    outcome = measure(name)

    assert outcome["mib"] <= HOSTILE[name][1], outcome
    # Either rejected with a message, or read completely.
    assert outcome["rejected"].endswith(".") if outcome["rejected"] else outcome["results"]
    expected = {
        "200 MB of tests": "larger than 100 MiB",
        "one attribute of 90 MB": "A tag or comment that starts in line 1 of the report is longer than 2 MiB",
        "one comment of 90 MB": "A tag or comment that starts in line 1",
        "one tag of 90 MB": "A tag or comment that starts in line 1",
        "many names of elements": "too many or too long names of elements and attributes",
        "many names of attributes": "too many or too long names of elements and attributes",
        "long names of elements": "too many or too long names of elements and attributes",
        "many tests": "more than 200,000 tests",
        "long names": "names in the report are more than 64 MiB",
        "deep": "more than 100 elements are nested",
        "JSON of 90 MB": "more than 200,000 tests",
        "JSON of lists": "Result 1 of the report is not an object",
        "JSON of deep lists": "The JSON is nested too deeply",
        "JSON of numbers": "Result 1 of the report is not an object",
        "JSON of lists in one value": "too many objects and values",
        "JSON of one text of 60 MB": "A value in line 1 of the report is larger than 16 MiB",
    }.get(name, "")
    assert expected in outcome["rejected"]
    assert bool(expected) == bool(outcome["rejected"])


def test_negative_control_memory_of_whole_file_is_seen():
    assert measure(CONTROL)["mib"] >= 85


def test_reading_stops_at_size_limit():
    stream = Stream(repeated("<testsuite>", "<!-- x -->", "</testsuite>", size=200 * MIB))

    with pytest.raises(ReportRejected) as error:
        read_report(stream, limits=Limits(file_bytes=3 * MIB))

    assert error.value.message.startswith("The report is larger than 3 MiB.")
    assert stream.given == 3 * MIB + 1


def test_file_of_maximum_size_is_read():
    text = "<testsuite><testcase name='a'/></testsuite>"

    assert read(text, file_bytes=len(text)).summary["total"] == 1
    assert "larger than" in rejected(text, file_bytes=len(text) - 1)


def test_maximum_number_of_tests_is_read():
    text = "<testsuite>" + "<testcase name='a'/>" * 5 + "</testsuite>"

    assert read(text, cases=5).summary["total"] == 5
    assert rejected(text, cases=4) == "The report has more than 4 tests. Split it into several runs."


def test_maximum_depth_is_read():
    inside = "<testcase name='a'/>"

    assert read("<testsuite>" * 99 + inside + "</testsuite>" * 99).summary["total"] == 1
    assert "more than 100 elements are nested" in rejected("<testsuite>" * 100 + inside + "</testsuite>" * 100)


def test_maximum_number_of_elements_is_read(monkeypatch):
    monkeypatch.setattr("missiondeck.reports.xmlstream.ELEMENTS", 50)

    # Tests have a limit of their own.
    assert read("<testsuite><testcase name='a'/>" + "<a/>" * 49 + "</testsuite>").summary["total"] == 1
    assert "more than 50 elements" in rejected("<testsuite><testcase name='a'/>" + "<a/>" * 50 + "</testsuite>")


@pytest.mark.parametrize("size", [1, 7, 4_096])
def test_file_with_short_reads_is_read(size):
    text = "<testsuite name='s'><testcase name='a'><failure message='" + "é" * 5_000 + "'/></testcase></testsuite>"

    class Slow(io.BytesIO):
        def read(self, wanted=-1):
            return super().read(min(wanted, size))

    report = read_report(Slow(text.encode()))

    assert only(report)["error"] == "é" * 5_000
    assert report.digest == read(text).digest


def test_long_message_is_accepted():
    report = read(f"<testsuite><testcase name='a'><failure message='{'m' * MIB}'/></testcase></testsuite>")

    assert only(report)["error"].startswith("mmm")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file is empty."),
        (" \n\t", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\x00\x01\x02", "The file is neither XML nor JSON nor TAP."),
        (b"\x89PNG\r\n", "The file is neither XML nor JSON nor TAP."),
        ("<", "The report is incomplete: it ends in line 1"),
        ("<testsuite>\n<testcase name='a'/>\n", "The report is incomplete: it ends in line 3"),
        ("<testsuite>\n<testcase name='a", "The report is incomplete: it ends in line 2"),
        ("<testsuite><testcase name='a'><failure><![CDATA[x", "The report is incomplete: it ends in line 1"),
        ("<testsuite>\n<testcase name='a'></testsuite>", "in line 2: a closing tag does not match the open element"),
        ("<testsuite>\n\n<testcase name='a' name='b'/>", "in line 3: an attribute is duplicated"),
        ("<testsuite>\n<test\x01case/></testsuite>", "in line 2: a character is not allowed there in XML"),
        ("<testsuite>&#" + "9" * 30 + ";</testsuite>", "a character reference names a character XML does not allow"),
        ("<testsuite>&nbsp;</testsuite>", "an entity is undefined"),
        (b"<testsuite><a \xff='1'/></testsuite>", "in line 1: a character is not allowed there in XML"),
        ("<?xml version='1.0' encoding='utf-7'?><testsuite/>", "encoding of the report is not supported"),
        ("<?xml version='1.0' encoding='shift-jis'?><testsuite/>", "encoding of the report is not supported"),
        ("<?xml version='1.0' encoding='no-such'?><testsuite/>", "encoding of the report is not supported"),
        ("<?xml version='1.0' encoding='utf-16'?><testsuite/>", "bytes are invalid in the declared encoding"),
        ("<testsuite/>\n<testsuite/>", "Line 2 follows the end of the report. If it is other output"),
        ("<?xml version='1.0'?><testsuite/>\n<?xml version='1.0'?><testsuite/>", "Line 2 follows the end"),
        ("<testsuite/>\ntext", "Line 2 follows the end of the report"),
        ("<testng-results/>", "This is a TestNG report"),
        ("<coverage/>", "This is a coverage report"),
        ("<html/>", "This is a page of HTML"),
        ("<a:b xmlns:a='x'/>", "This is not a test report: the root element is <a:b>."),
        (gzip.compress(b"<testsuite/>", mtime=0), "The file is compressed with gzip. Decompress it"),
        ("<testsuite/>".encode("utf-32"), "The file is in UTF-32."),
    ],
)  # fmt: skip
def test_other_file_types_are_rejected(text, sentence):
    assert sentence in rejected(text)


def test_markup_in_names_and_texts_stays_text():
    hostile = "<script>alert(1)</script> ]]> ' \" & {{ 7*7 }} '; DROP TABLE test_runs; --"
    quoted = hostile.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    report = read(
        f'<testsuite name="{quoted}"><testcase name="{quoted}"><failure message="{quoted}"/><system-out>{quoted}'
        "</system-out></testcase></testsuite>"
    )

    result = only(report)
    assert {result[key] for key in ("name", "suite", "error", "output")} == {hostile}


def test_error_quotes_little_of_the_file():
    assert len(rejected(f"<{'x' * 10_000}/>")) < 400
    assert len(rejected('[{"name": "' + "n" * 10_000 + '", "status": "' + "s" * 10_000 + '"}]')) < 400
    assert len(rejected('{"' + "k" * 10_000 + '": 1, "' + "k" * 10_000 + '": 2}')) < 400
