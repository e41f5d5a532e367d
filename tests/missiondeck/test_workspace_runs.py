"""Test runs in the workspace: import, trend, results and logs."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from groups.models import Member
from missiondeck.admin.workspace_trend import HEIGHT, MIN_HEIGHT, Counts, counts_of, parts_of
from missiondeck.models import DeckMission, TestRun
from missiondeck.services.runs import start_run
from tests.missiondeck.workspace_helpers import FAILING, PASSING, address, import_report_file, make_mission, run_at
from tests.support.admin import client, page_text
from tests.support.reading import FULL, MOST_TIMES, plan_of, rows_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Client:
    return client("Delivery Lead", display_name="Dora")


@pytest.fixture
def mission() -> DeckMission:
    return make_mission()


def look(browser: Client, mission: DeckMission, **query) -> str:
    """The tab of Sofia as text."""
    return page_text(browser.get(address(mission), {"citizen": "sofia", **query}))


def send(
    browser: Client, mission: DeckMission, report: bytes | None, *, logs: bytes | None = None, follow: bool = True
):
    files = {"report": report, "logs": logs}
    body = {name: SimpleUploadedFile(f"{name}.txt", data) for name, data in files.items() if data is not None}
    return browser.post(f"{address(mission, '_import')}?citizen=sofia", body, follow=True)


class TestImport:
    def test_import_creates_run_and_shows_it(self, lead, mission):
        answer = send(lead, mission, FAILING, logs=b"all of it")
        run = TestRun.objects.get()
        assert answer.redirect_chain == [(f"{address(mission)}?citizen=sofia&run={run.pk}#ws-runs", 302)]
        page = page_text(answer)
        assert "Report imported. Failed" in page
        assert "imported by <bdi>Dora</bdi> · JUnit XML" in page
        assert "1 passed, 1 failed, 1 skipped" in page
        assert run.log_pages.get().text == "all of it"

    def test_same_file_twice_shows_existing_run(self, lead, mission):
        send(lead, mission, FAILING)
        first = TestRun.objects.get()
        answer = send(lead, mission, FAILING)
        assert "This file was already imported: Failed" in page_text(answer)
        assert f"run={first.pk}" in answer.redirect_chain[-1][0]
        assert TestRun.objects.count() == 1

    def test_same_file_after_other_run_is_new_run(self, lead, mission):
        for report in (FAILING, PASSING, FAILING):
            answer = send(lead, mission, report)
        assert "Report imported. Failed" in page_text(answer)
        assert (TestRun.objects.count(), TestRun.objects.first().status) == (3, "failed")

    def test_several_files_become_one_run(self, lead, mission):
        files = [SimpleUploadedFile("1.xml", FAILING), SimpleUploadedFile("2.xml", PASSING)]
        answer = lead.post(f"{address(mission, '_import')}?citizen=sofia", {"report": files}, follow=True)
        assert "2 passed, 1 failed, 1 skipped" in page_text(answer)
        assert TestRun.objects.count() == 1

    def test_file_input_accepts_several_files(self, lead, mission):
        assert '<input type="file" name="report" multiple required' in look(lead, mission)

    @pytest.mark.parametrize(
        ("report", "expected"),
        [
            (b"", "The file is empty."),
            (b"hello", "neither XML nor JSON"),
            (b"PK\x03\x04zip", "The zip archive cannot be read"),
            (b"<testsuite><testcase name='a'>", "The report is incomplete"),
            (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite>&b;</testsuite>', "declares a document type"),
            (b'{"results": 3}', "The "),
            (None, "Choose a test report file"),
        ],
    )
    def test_other_file_is_rejected_on_page(self, lead, mission, report, expected):
        answer = send(lead, mission, report)
        assert answer.status_code == 200
        rejection = page_text(answer).split('id="ws-report-rejection">')[1].split("</p>")[0]
        assert expected in rejection
        assert "Nothing was imported." in rejection
        assert not TestRun.objects.exists()

    def test_too_large_files_are_rejected(self, lead, mission, settings):
        settings.DECK_REPORT_BYTES = settings.DECK_LOGS_BYTES = 1024 * 1024
        large = PASSING + b"\n" * 1024 * 1024
        assert "A report can have at most 1 MB." in page_text(send(lead, mission, large))
        assert "A log file can have at most 1 MB." in page_text(send(lead, mission, PASSING, logs=large))
        assert not TestRun.objects.exists()

    def test_warnings_are_shown(self, lead, mission):
        page = page_text(send(lead, mission, b'<testsuite><testcase name="a"/><odd-one/></testsuite>'))
        assert "1 warning about the report" in page
        assert "The element <odd-one> is unknown and was ignored." in page


class TestTrend:
    def test_each_run_has_bar_and_row(self, lead, mission):
        runs = [run_at(mission, minute, failed=minute == 1) for minute in range(3)]
        page = look(lead, mission)
        bars = re.findall(
            r'<a href="([^"]+)#ws-runs" class="ws-bar ws-bar-(\w+)" aria-label="([^"]+)"( aria-cur)?', page
        )
        assert [bar[1] for bar in bars] == ["passed", "failed", "passed"]
        assert [f"run={run.pk}" in bar[0] for run, bar in zip(runs, bars, strict=True)] == [True] * 3
        assert bars[1][2] == "2 Jan 2026 12:01: failed"
        assert [bool(bar[3]) for bar in bars] == [False, False, True]
        assert page.count('<td data-label="Time">') == 3
        chosen = look(lead, mission, run=runs[1].pk)
        assert "It broke" in chosen
        assert "Show latest run" in chosen

    def test_trend_shows_thirty_runs_and_links_older(self, lead, mission):
        for minute in range(33):
            run_at(mission, minute)
        page = look(lead, mission)
        assert page.count('class="ws-bar') == 30
        assert "Older runs" in page
        older = look(lead, mission, runs=2)
        assert older.count('class="ws-bar') == 3
        assert "Newer runs" in older

    def test_counts_come_from_summary_or_pairs(self):
        assert counts_of({"passed": 7, "failed": 1, "errors": 2, "skipped": 3}) == Counts(7, 3, 3)
        assert counts_of({"functional_passed": 8, "functional_total": 10, "load_passed": 2, "load_total": 3}) == Counts(
            10, 3, 0
        )
        assert counts_of(None) is counts_of({"duration": 3}) is None

    @pytest.mark.parametrize("counts", [(100_000, 1, 0), (100_000, 1, 1), (0, 1, 0), (1, 0, 0), (1, 50_000, 50_000)])
    def test_small_segment_is_visible(self, counts):
        parts = parts_of(Counts(*counts), sum(counts))
        heights = {part["kind"]: float(part["height"]) for part in parts}
        assert set(heights) == {
            kind for kind, count in zip(("passed", "failed", "skipped"), counts, strict=True) if count
        }
        assert min(heights.values()) >= MIN_HEIGHT
        assert sum(heights.values()) == pytest.approx(HEIGHT, abs=0.2)


class TestRunDetail:
    def test_failed_tests_are_first_with_error(self, lead, mission):
        import_report_file(mission, FAILING)
        page = look(lead, mission)
        order = [page.index(f">{name}</bdi>") for name in ("test_pays", "test_sleeps", "test_opens")]
        assert order == sorted(order)
        assert "KeyError: 'total'" in page
        assert "shop.py, line 12" in page
        assert "3 tests" in page

    def test_pairs_are_shown(self, lead, mission):
        report = {
            "summary": {"functional_passed": 8, "functional_total": 10},
            "results": [{"name": "a", "status": "failed"}, {"name": "b", "status": "passed"}],
        }
        import_report_file(mission, json.dumps(report).encode())
        assert "<dt>Functional</dt><dd>8 of 10</dd>" in look(lead, mission)

    def test_flaky_test_is_marked(self, lead, mission):
        for minute, failed in enumerate((True, False, True)):
            run_at(mission, minute, failed=failed)
        page = look(lead, mission)
        assert "1 failed test is flaky" in page
        assert '<span class="ws-badge ws-warn">Flaky</span>' in page

    def test_results_are_filtered_by_status_and_name(self, lead, mission):
        import_report_file(mission, FAILING)
        skipped = look(lead, mission, status="skipped")
        assert "test_sleeps" in skipped
        assert "test_pays" not in skipped
        found = look(lead, mission, q="OPEN")
        assert "test_opens" in found
        assert "test_pays" not in found
        assert "No tests match these filters." in look(lead, mission, q="nowhere")

    def test_results_are_paginated(self, lead, mission):
        import_report_file(
            mission, json.dumps([{"name": f"test_{n:03}", "status": "passed"} for n in range(120)]).encode()
        )
        assert "1 to 50 of 120 tests" in look(lead, mission)
        last = look(lead, mission, page=3, after="3-100")
        assert "101 to 120 of 120 tests" in last
        assert "test_119" in last
        before = look(lead, mission, page=2, upto="3-101")
        assert "51 to 100 of 120 tests" in before
        assert 'href="' in before
        assert "after=3-100" in before
        assert "1 to 50 of 120 tests" in look(lead, mission, page=1, upto="3-51")
        # A page after the last shows the first, and so does a page number alone.
        assert "1 to 50 of 120 tests" in look(lead, mission, page=9, after="3-120")
        assert "1 to 50 of 120 tests" in look(lead, mission, page=3)

    def test_result_texts_are_escaped(self, lead, mission):
        bad = "</code></pre><script>x</script>"
        result = dict.fromkeys(("name", "classname", "suite", "file", "error", "traceback", "output"), bad)
        report = {"name": bad, "results": [{**result, "status": "failed"}], "summary": {}}
        import_report_file(mission, json.dumps(report).encode(), logs=bad.encode())
        raw = lead.get(address(mission), {"citizen": "sofia", "log": 1, "find": "script"}).content.decode()
        assert "<script>x" not in raw
        assert raw.count("&lt;script&gt;x") >= 9

    def test_running_run_has_no_results(self, lead, mission):
        start_run(mission=mission, actor=Member.objects.system(), name="nightly")
        page = look(lead, mission)
        assert "Tests are running" in page
        assert "The latest test run is still running." in page

    def test_running_run_can_be_given_up(self, lead, mission):
        run = start_run(mission=mission, actor=Member.objects.system(), name="nightly")
        assert "Mark as failed" in look(lead, mission)
        assert "Mark as failed" not in look(client("Auditor"), mission)
        give_up = address(mission, "_give_up", run.pk)
        assert client("Auditor").post(give_up).status_code == 403
        page = page_text(lead.post(give_up, follow=True))
        assert "The run was marked as failed." in page
        assert "Marked as failed: no report was received." in page
        assert "Mark as failed" not in page
        run = TestRun.objects.get(pk=run.pk)
        assert (run.status, run.results, run.finished_at is not None) == ("failed", [], True)
        assert "This test run is finished and cannot be changed." in page_text(lead.post(f"{give_up}?citizen=sofia"))

    def test_run_is_started_and_finished_on_page(self, lead, mission):
        start, commit = f"{address(mission, '_start')}?citizen=sofia", "c" * 40
        page = lead.post(start, {"name": "nightly", "commit": "short", "shards": "2"}).content.decode()
        assert "Enter the full commit" in page
        assert 'value="short"' in page
        page = page_text(lead.post(start, {"name": "nightly", "commit": commit, "shards": "2"}, follow=True))
        assert "The run was started." in page
        assert "still running" in page
        run = TestRun.objects.get()
        finish = f"{address(mission, '_finish', run.pk)}?citizen=sofia"
        assert client("Auditor").post(finish).status_code == 403
        assert "No report of this run was received." in page_text(lead.post(finish))
        page = page_text(lead.post(finish, {"report": SimpleUploadedFile("a.xml", PASSING)}, follow=True))
        assert "1 of 2 shards were received." in page
        run.refresh_from_db(fields=["status", "parts", "shards"])
        assert (run.status, run.parts, run.shards) == ("failed", 1, 2)
        assert "This test run is finished and cannot be changed." in page_text(lead.post(finish))

    def test_run_of_other_mission_is_not_shown(self, lead, mission):
        run = start_run(mission=make_mission(), actor=Member.objects.system())
        assert lead.post(address(mission, "_give_up", run.pk)).status_code == 404

    def test_mission_without_runs_explains_next_step(self, lead, mission):
        assert "No test runs yet" in look(lead, mission)
        assert "Import the first report below" in look(lead, mission)
        assert "Import the first report below" not in look(client("Auditor"), mission)


class TestLogs:
    LINES = b"".join(b"line %06d of the run\n" % number for number in range(1, 9_001)) + b"the <end>"

    def test_logs_are_paginated(self, lead, mission):
        import_report_file(mission, PASSING, logs=self.LINES)
        assert "line 000001" not in look(lead, mission)
        first = lead.get(address(mission), {"citizen": "sofia", "log": 1}).content
        assert b"line 000001" in first
        assert b"Page 1 of 4" in first
        assert b"line 009000" not in first
        last = look(lead, mission, log=4)
        assert "line 009000" in last
        assert '<li id="L9001"><a href="#L9001">9001</a><code>the <end></code></li>' in last
        assert "Page 1 of 4" in look(lead, mission, log=77)

    def test_log_search_links_to_line(self, lead, mission):
        import_report_file(mission, PASSING, logs=self.LINES)
        page = look(lead, mission, find="LINE 008999")
        target = re.search(r'href="([^"]+)">Line 8999</a>', page)[1]
        path, _, line = target.partition("#")
        assert f'id="{line}"><a href="#{line}">8999</a><code>line 008999' in page_text(lead.get(path))
        assert "The first 100 lines" in look(lead, mission, find="line")
        assert "No lines contain" in look(lead, mission, find="nowhere")
        assert "the <end>" in look(lead, mission, find="<end>")

    def test_run_without_logs_is_reported(self, lead, mission):
        import_report_file(mission)
        assert "This run has no logs." in look(lead, mission, log=1, find="x")


@pytest.mark.parametrize("query", [{}, {"page": 61, "after": "3-3000"}, {"page": 60, "upto": "3-3001"}, {"q": "TEST_"}])
def test_page_of_large_run_reads_what_it_shows(lead, mission, query):
    """By EXPLAIN (ANALYZE): at most 20 times the shown rows of 4,000, also on deep pages."""
    results = [{"name": f"test_{n:04}", "status": "passed"} for n in range(4_000)]
    import_report_file(mission, json.dumps(results).encode())
    with connection.cursor() as cursor:
        # The rows of this transaction have no statistics.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    with CaptureQueriesContext(connection) as queries:
        assert "4,000 tests" in look(lead, mission, **query) or "q" in query
    statements = [each["sql"] for each in queries if "FROM test_results" in each["sql"]]
    assert len(statements) == (2 if "q" in query else 1)
    for sql in statements:
        assert rows_read(plan_of(sql)) <= MOST_TIMES * (FULL + 1), sql
