"""Pages of logs: whole lines, at most 64 KB per page, with line numbers."""

import io
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groups.models import Member
from missiondeck.models import TestRun, TestRunLogPage
from missiondeck.selectors.runs import latest_run, log_page, search_logs
from missiondeck.services.runs import import_report
from tests.missiondeck.helpers import insert, junit, mission
from tests.support.database import rejected_by, row, rows, shared_rows
from tests.support.sample import examples

pytestmark = pytest.mark.django_db

PAGE = 65_536
MB = 1024 * 1024


def logged(text: str) -> TestRun:
    """A run with these logs."""
    return TestRun.objects.get(pk=insert("test_runs", mission_id=mission().pk, status="running", logs=text))


def pages_of(run: TestRun) -> list[tuple[int, int, str]]:
    return list(TestRunLogPage.objects.filter(run=run).order_by("page").values_list("page", "first_line", "text"))


def put_together(run: TestRun) -> str:
    """Rebuild the logs from their pages. A page with a new first line number starts a new line."""
    text, line = "", 1
    for _number, first_line, piece in pages_of(run):
        if text:
            assert first_line in (line, line + 1)
            text += "\n" * (first_line - line)
        text += piece
        line = first_line + piece.count("\n")
    return text


# --- Pagination -----------------------------------------------------------------------------------

CASES = {
    "one line": "hello",
    "two lines": "one\ntwo",
    "newline at the end": "one\ntwo\n",
    "only a newline": "\n",
    "only newlines": "\n" * 200_000,
    "empty lines between": "a\n\n\nb",
    "page filled to the last byte": "x" * PAGE,
    "one byte more": "x" * (PAGE + 1),
    "line as long as a page, then more": "x" * (PAGE - 1) + "\nnext",
    "newline on the border": "x" * PAGE + "\nnext",
    "many lines": "".join(f"line {n}\n" for n in range(50_000)),
    "characters of two bytes": "é" * 100_000,
    "characters of three bytes": "€" * 100_000,
    "characters of four bytes": "😀" * 60_000,
    "a character across the border": "x" * (PAGE - 1) + "😀" + "y" * 10,
    "lines of other scripts": "日本語のログ\n" * 20_000,
    "other line ends": "a\r\nb\rc\u2028d\x0be\x85f",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_pages_hold_all_text_within_limit(text):
    run = logged(text)
    assert put_together(run) == text.removesuffix("\n")
    for number, (page, first_line, piece) in enumerate(pages_of(run), 1):
        assert page == number
        assert 0 < len(piece.encode()) <= PAGE or set(text) == {"\n"}
        assert first_line >= 1
    lines = text.removesuffix("\n").split("\n")
    for page, first_line, piece in pages_of(run):
        for line, part in enumerate(piece.split("\n"), first_line):
            assert part in lines[line - 1], (page, line)


def test_page_ends_with_whole_line():
    run = logged("".join(f"{n:05} {'x' * 90}\n" for n in range(5000)))
    for _page, first_line, piece in pages_of(run):
        lines = piece.split("\n")
        assert [int(line[:5]) for line in lines] == list(range(first_line - 1, first_line - 1 + len(lines)))
        assert {len(line) for line in lines} == {96}


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    parts=st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), st.integers(1, 9000)),
        max_size=8,
    )
)
@example(parts=[("\n", 65_535), ("€", 30_000)])
def test_pages_rebuild_any_text(parts):
    text = "".join(piece * times for piece, times in parts)
    run = logged(text)
    assert put_together(run) == text.removesuffix("\n")
    assert all(len(piece.encode()) <= PAGE for _page, _line, piece in pages_of(run))


def test_empty_logs_have_no_pages():
    for text in ("", None):
        run = logged(text)
        assert pages_of(run) == []
        assert log_page(run) is None


def test_updated_logs_are_paginated_again():
    run = logged("x" * 200_000)
    assert len(pages_of(run)) == 4
    rows("UPDATE test_runs SET logs = %s WHERE id = %s", ["short", run.pk])
    assert pages_of(run) == [(1, 1, "short")]
    rows("UPDATE test_runs SET logs = NULL WHERE id = %s", [run.pk])
    assert pages_of(run) == []


def test_logs_are_limited_to_64_mb():
    made = mission().pk
    with rejected_by("test_runs_logs_bounded"):
        rows(
            "INSERT INTO test_runs (mission_id, status, logs) VALUES (%s, 'running', repeat('x', %s))",
            [made, 64 * MB + 1],
        )


# --- Reading --------------------------------------------------------------------------------------


def test_page_has_numbered_lines():
    run = logged("".join(f"line {n}\n" for n in range(1, 30_001)))
    first, second = log_page(run), log_page(run, 2)
    assert (first.number, second.number) == (1, 2)
    assert first.last == second.last == len(pages_of(run))
    assert first.lines[0] == (1, "line 1")
    assert second.lines[0][0] == first.lines[-1][0] + 1
    assert all(text == f"line {number}" for number, text in first.lines + second.lines)
    assert log_page(run, first.last).lines[-1] == (30_000, "line 30000")


@pytest.mark.parametrize("number", [0, -1, 99, 2**31 - 1])
def test_missing_page_is_none(number):
    assert log_page(logged("hello"), number) is None


def test_search_ignores_case():
    run = logged("".join(f"line {n}{' Übel ERROR 100%' if n % 7000 == 0 else ''}\n" for n in range(1, 30_001)))
    for text in ("error", "ERROR", "übel", "100%"):
        assert [hit.line for hit in search_logs(run, text)] == [7000, 14_000, 21_000, 28_000]
    for hit in search_logs(run, "error"):
        assert dict(log_page(run, hit.page).lines)[hit.line] == hit.text
    assert search_logs(run, "%") == search_logs(run, "100%")
    assert search_logs(run, "_") == []
    assert search_logs(run, "nothing like it") == []
    assert [hit.line for hit in search_logs(run, "line", most=3)] == [1, 2, 3]


def test_search_ignores_colours():
    """Negative control: the text itself is interrupted by a sequence."""
    run = logged("\x1b[31mFAILED\x1b[0m tests/test_a.py\nother\n")
    assert "FAILED tests" not in TestRun.objects.get(pk=run.pk).logs
    assert [(hit.line, hit.text) for hit in search_logs(run, "failed tests")] == [(1, "FAILED tests/test_a.py")]
    assert search_logs(run, "31m") == []
    assert log_page(run).lines == [(1, "FAILED tests/test_a.py"), (2, "other")]


def test_search_is_limited_to_run():
    logged("secret of another run")
    assert search_logs(logged("hello"), "secret") == []


def test_long_line_is_shortened_in_search():
    run = logged("x" * 1000 + "needle" + "x" * 1000)
    [hit] = search_logs(run, "needle")
    assert len(hit.text) == 500


# --- 50 MB ----------------------------------------------------------------------------------------


class Clock:
    """The duration of a call in seconds, and its peak memory in bytes."""

    def __enter__(self):
        tracemalloc.start()
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_error):
        self.seconds = time.perf_counter() - self._began
        self.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.fixture(scope="module", params=["lines", "one line"])
def large(request, django_db_setup, django_db_blocker):
    """A run with 50 MB of logs, generated in the database."""
    text = {"lines": "repeat(repeat('x', 99) || E'\\n', 524288)", "one line": "repeat('x', 52428800)"}[request.param]
    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            (key,) = row(
                f"INSERT INTO test_runs (mission_id, status, logs) VALUES (%s, 'running', {text}) RETURNING id",
                [mission().pk],
            )
            made = light(key)
        yield made


def light(key) -> TestRun:
    return TestRun.objects.defer("results", "logs").get(pk=key)


@pytest.mark.seed("001 test_runs.logs", "001 a log of 50 MB is read by the page, in bounded memory")
def test_logs_of_50_mb_are_read_by_page(large):
    count, most, total = row(
        "SELECT count(*), max(octet_length(text)), sum(octet_length(text)) FROM test_run_log_pages WHERE run_id = %s",
        [large.pk],
    )
    assert (most <= PAGE, total <= 50 * MB) == (True, True)
    assert total + 524_288 >= 50 * MB
    assert 800 <= count <= 810
    for number in (1, count // 2, count):
        with Clock() as clock:
            page = log_page(large, number)
        assert page.last == count
        assert sum(len(text) for _line, text in page.lines) <= PAGE
        assert clock.peak < 3 * MB
        assert clock.seconds < 1
    with Clock() as clock:
        assert latest_run(large.mission).pk == large.pk
    assert clock.peak < 1 * MB
    assert clock.seconds < 1


@pytest.mark.seed("001 a log of 50 MB is read by the page, in bounded memory")
def test_logs_of_50_mb_are_searched_in_database(large):
    with Clock() as clock:
        assert search_logs(large, "needle") == []
        hits = search_logs(large, "xxx", most=20)
    assert clock.peak < 3 * MB
    assert 1 <= len(hits) <= 20


@pytest.mark.seed("001 a log of 50 MB is read by the page, in bounded memory")
def test_negative_control_whole_log_is_measured(large):
    """Negative control: the measurement detects a page that loads the whole logs."""
    with Clock() as clock:
        assert len(TestRun.objects.get(pk=large.pk).logs) == 50 * MB
    assert clock.peak > 50 * MB


def test_logs_of_50_mb_are_imported():
    output = io.BytesIO((b"y" * 127 + b"\n") * (50 * MB // 128))
    run = import_report(
        mission=mission(), file=junit('<testcase name="a"/>'), logs=output, actor=Member.objects.system()
    ).run
    last = log_page(run).last
    assert log_page(run, last).lines[-1] == (50 * MB // 128, "y" * 127)
