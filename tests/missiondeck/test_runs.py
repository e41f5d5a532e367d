"""Test runs: start, finish and import; retries; errors."""

import io
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from groups.models import Member
from missiondeck.errors import LogsTooLarge, RunFinished
from missiondeck.models import RunStatus, TestRun, TestRunLogPage
from missiondeck.reports import ReportRejected
from missiondeck.selectors.runs import RESULTS_PER_PAGE, latest_run, light_runs, results_of
from missiondeck.services.runs import finish_run, import_report, start_run
from tests.missiondeck.helpers import FAILED, PASSED, import_results, junit, mission, report
from tests.support.concurrency import crowd, without
from tests.support.database import row
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

GOOD = '<testcase name="a" classname="A" time="0.5"/>'
BAD = '<testcase name="b" classname="A"><failure message="no">line 3</failure></testcase>'


# --- Import -----------------------------------------------------------------------------------------


def test_report_becomes_finished_run():
    made, actor = mission(), MemberFactory()
    brought = import_report(mission=made, file=junit(GOOD, BAD, name="pytest"), actor=actor)
    run = TestRun.objects.get()
    assert (brought.is_new, brought.run.pk, brought.warnings) == (True, run.pk, [])
    assert (run.mission, run.status, run.name, run.source, run.created_by) == (made, "failed", "pytest", "junit", actor)
    assert [(each["name"], each["status"]) for each in run.results] == [("a", "passed"), ("b", "failed")]
    assert run.results[1]["error"] == "no"
    assert {key: run.summary[key] for key in ("passed", "failed", "errors", "skipped", "total")} == {
        "passed": 1, "failed": 1, "errors": 0, "skipped": 0, "total": 2,
    }  # fmt: skip
    assert len(run.digest) == 64
    assert run.finished_at is not None


@pytest.mark.seed("001 Seed 4", "001 Seed 6")
def test_seed_json_is_imported():
    made = mission()
    run = import_report(
        mission=made,
        file=report(
            # The seed uses both keys of a test name: `name` and `test`.
            [{"test": "test_foo", "status": "passed"}, FAILED],
            summary={"functional_passed": 8, "functional_total": 10, "performance_passed": 2, "performance_total": 3},
        ),
        actor=Member.objects.system(),
    ).run
    assert (run.status, run.source) == ("failed", "json")
    assert (run.summary["functional_passed"], run.summary["functional_total"]) == (8, 10)
    assert [each["name"] for each in TestRun.objects.get().results] == ["test_foo", "test_b"]


def test_warnings_are_stored():
    file = io.BytesIO(b'<testsuite name="s" tests="7"><testcase name="a"/></testsuite>')
    brought = import_report(mission=mission(), file=file, actor=Member.objects.system())
    assert brought.warnings == ["Suite “s” (line 1) states 7 tests; counted: 1 test."]
    (stored,) = TestRun.objects.get().warnings
    assert (stored["code"], stored["values"]["line"]) == ("totals_differ", "1")
    assert stored["values"]["stated"] == [{"code": "tests", "values": {"n": 7}}]


def test_tool_output_is_stored_as_logs():
    output = io.BytesIO("héllo\r\nwörld\x00 \xff".encode("latin-1"))
    run = import_report(mission=mission(), file=junit(GOOD), logs=output, actor=Member.objects.system()).run
    stored = TestRun.objects.get(pk=run.pk).logs
    assert stored == "h\ufffdllo\nw\ufffdrld\ufffd \ufffd"


def test_report_output_and_log_file_are_joined():
    file = io.BytesIO(b'<testsuite name="s"><testcase name="a"/><system-out>from the suite</system-out></testsuite>')
    run = import_report(
        mission=mission(), file=file, logs=io.BytesIO(b"from the tool"), actor=Member.objects.system()
    ).run
    logs = TestRun.objects.get(pk=run.pk).logs
    assert "from the suite" in logs
    assert logs.endswith("\nfrom the tool")


def test_progress_is_reported():
    calls = []
    file = junit(*(f'<testcase name="t{n}"/>' for n in range(20_000)))
    import_report(mission=mission(), file=file, actor=Member.objects.system(), progress=calls.append)
    assert calls == sorted(calls)
    assert calls[-1] == len(file.getvalue())


# --- Retries ----------------------------------------------------------------------------------------


@pytest.mark.seed("001 the same file twice, or by many at once, is one run")
def test_same_file_twice_is_one_run():
    made = mission()
    first = import_report(mission=made, file=junit(GOOD), actor=Member.objects.system())
    again = import_report(mission=made, file=junit(GOOD), logs=io.BytesIO(b"other output"), actor=MemberFactory())
    assert (first.is_new, again.is_new) == (True, False)
    assert again.run.pk == first.run.pk
    assert TestRun.objects.count() == 1
    assert TestRun.objects.get().logs is None


def test_same_file_is_new_run_of_other_mission():
    assert all(
        import_report(mission=mission(), file=junit(GOOD), actor=Member.objects.system()).is_new
        for _mission in range(2)
    )
    assert TestRun.objects.count() == 2


def test_other_file_with_same_tests_is_new_run():
    made = mission()
    for name in ("first", "second"):
        assert import_report(mission=made, file=junit(GOOD, name=name), actor=Member.objects.system()).is_new
    assert TestRun.objects.filter(mission=made).count() == 2


@pytest.mark.seed("001 the same file twice, or by many at once, is one run")
@pytest.mark.django_db(transaction=True)
def test_concurrent_same_file_is_one_run():
    with crowd(8) as people:
        for number in range(3):
            made, name = mission(), f"suite {number}"
            done = people.run(
                lambda _n, made=made, name=name: import_report(
                    mission=made, file=junit(GOOD, name=name), actor=Member.objects.system()
                )
            )
            assert not [one for one in done if isinstance(one, Exception)], done
            assert sum(one.is_new for one in done) == 1
            assert len({one.run.pk for one in done}) == 1
            assert TestRun.objects.filter(mission=made).count() == 1


@pytest.mark.long
@pytest.mark.seed("001 the same file twice, or by many at once, is one run")
@pytest.mark.django_db(transaction=True)
def test_negative_control_without_lock_several_runs():
    with (
        crowd(8) as people,
        without(
            "ALTER TABLE test_runs DISABLE TRIGGER test_runs_admit",
            "ALTER TABLE test_runs ENABLE TRIGGER test_runs_admit",
        ),
    ):
        several = 0
        for number in range(20):
            made = mission()
            people.run(
                lambda _n, made=made, number=number: import_report(
                    mission=made, file=junit(GOOD, name=f"suite {number}"), actor=Member.objects.system()
                )
            )
            several = TestRun.objects.filter(mission=made).count()
            if several > 1:
                break
    assert several > 1, "twenty rounds without the rule, and the race was never lost"


# --- Rejected ----------------------------------------------------------------------------------------

LAUGH = "&lol{0};" * 10
BILLION = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{LAUGH.format(n - 1 or "")}">' for n in range(1, 10))
    + "]><testsuite name='&lol9;'><testcase name='a'/></testsuite>"
)
REJECTED = {
    "nothing": b"",
    "no report": b"hello",
    "cut off": b'<testsuite name="s"><testcase name="a">',
    "another format": b"<html><body/></html>",
    "billion laughs": BILLION.encode(),
    "outside entity": (
        b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>'
    ),
    "cut off json": b'{"results": [',
    "json of something else": b'{"hello": 1}',
    "json nested deeply": b"[" * 100_000,
    "zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.seed("001 a rejected report stores nothing")
@pytest.mark.parametrize("data", REJECTED.values(), ids=REJECTED)
def test_rejected_report_stores_nothing(data):
    made = mission()
    with pytest.raises(ReportRejected) as rejected:
        import_report(mission=made, file=io.BytesIO(data), logs=io.BytesIO(b"output"), actor=Member.objects.system())
    assert str(rejected.value).endswith(".")
    assert row("SELECT (SELECT count(*) FROM test_runs), (SELECT count(*) FROM test_run_log_pages)") == (0, 0)


def test_report_over_the_limit_stores_nothing(settings):
    settings.DECK_REPORT_BYTES = 1000
    with pytest.raises(ReportRejected):
        import_report(mission=mission(), file=junit(*[GOOD] * 100), actor=Member.objects.system())
    assert not TestRun.objects.exists()


def test_logs_over_the_limit_store_nothing(settings):
    settings.DECK_LOGS_BYTES = 2 * 1024 * 1024
    output = io.BytesIO(b"x" * (2 * 1024 * 1024 + 1))
    with pytest.raises(LogsTooLarge, match="at most 2 MB"):
        import_report(mission=mission(), file=junit(GOOD), logs=output, actor=Member.objects.system())
    assert not TestRun.objects.exists()


# --- Start and finish -------------------------------------------------------------------------------


def test_run_is_started_and_finished():
    actor = MemberFactory()
    run = start_run(mission=mission(), actor=actor, name="nightly")
    assert (run.status, run.name, run.created_by, run.finished_at, run.summary) == (
        RunStatus.RUNNING, "nightly", actor, None, None,
    )  # fmt: skip
    done = finish_run(actor=Member.objects.system(), run=run, file=junit(GOOD, name="pytest"), logs=io.BytesIO(b"out"))
    assert (done.pk, done.status, done.name, done.source) == (run.pk, "passed", "nightly", "junit")
    assert done.finished_at is not None
    assert TestRun.objects.get().logs == "out"


def test_run_is_finished_once():
    run = start_run(mission=mission(), actor=Member.objects.system())
    finish_run(actor=Member.objects.system(), run=run, file=junit(GOOD))
    with pytest.raises(RunFinished):
        finish_run(actor=Member.objects.system(), run=run, file=junit(BAD))
    assert TestRun.objects.get().status == "passed"


def test_rejected_report_leaves_run_running():
    run = start_run(mission=mission(), actor=Member.objects.system())
    with pytest.raises(ReportRejected):
        finish_run(actor=Member.objects.system(), run=run, file=io.BytesIO(b"hello"))
    assert TestRun.objects.get().status == "running"


def test_finished_run_is_found_by_its_file():
    made = mission()
    run = start_run(mission=made, actor=Member.objects.system())
    finish_run(actor=Member.objects.system(), run=run, file=junit(GOOD))
    again = import_report(mission=made, file=junit(GOOD), actor=Member.objects.system())
    assert (again.is_new, again.run.pk) == (False, run.pk)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([PASSED], "passed"),
        ([PASSED, FAILED], "failed"),
        ([PASSED, {"name": "c", "status": "error"}], "failed"),
        ([PASSED, {"name": "c", "status": "skipped"}], "passed"),
        ([{"name": "c", "status": "skipped"}], "failed"),
    ],
)
def test_status_follows_from_results(results, status):
    assert import_results(mission(), results).status == status


# --- Reading ----------------------------------------------------------------------------------------


@pytest.mark.seed("001 test_runs.logs")
def test_lists_do_not_load_logs_or_results():
    made = mission()
    import_results(made, [PASSED])
    import_report(mission=made, file=junit(GOOD), logs=io.BytesIO(b"out"), actor=Member.objects.system())
    questions = (
        lambda: latest_run(made),
        lambda: list(light_runs().filter(mission=made)),
        lambda: import_report(mission=made, file=junit(GOOD), actor=Member.objects.system()),
    )
    for ask in questions:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            ask()
        selects = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
        assert selects
        for each in selects:
            assert '"logs"' not in each.partition(" FROM ")[0]
            assert '"results"' not in each.partition(" FROM ")[0]


def test_negative_control_whole_run_loads_both():
    import_results(mission(), [PASSED])
    with CaptureQueriesContext(connection) as asked:
        list(TestRun.objects.all())
    assert '"logs"' in asked[0]["sql"]
    assert '"results"' in asked[0]["sql"]


def test_new_run_defers_large_columns():
    run = import_results(mission(), [PASSED])
    assert run.get_deferred_fields() == {"results", "logs"}


def test_results_are_worst_first_and_paginated():
    statuses = ["passed", "skipped", "error", "failed"]
    results = [{"name": f"t{n:03}", "status": statuses[n % 4]} for n in range(120)]
    run = import_results(mission(), results)
    pages = [results_of(run)]
    while pages[-1].next:
        pages.append(results_of(run, after=pages[-1].next))
    assert [len(page.results) for page in pages] == [RESULTS_PER_PAGE, RESULTS_PER_PAGE, 20]
    assert {(page.total, page.last) for page in pages} == {(120, 3)}
    order = [each["status"] for page in pages for each in page.results]
    assert order == ["error"] * 30 + ["failed"] * 30 + ["skipped"] * 30 + ["passed"] * 30
    names = [each["name"] for page in pages for each in page.results]
    assert len(set(names)) == 120
    assert names[:30] == sorted(names[:30])
    assert (pages[0].previous, pages[-1].next) == (None, None)
    assert results_of(run, after=pages[-1].places[-1]).results == []
    again = results_of(run, before=pages[2].previous)
    assert again.places == pages[1].places
    assert results_of(run, before=again.previous).places == pages[0].places
    assert results_of(run, before=again.previous).previous is None


def test_results_are_filtered_and_searched():
    run = import_results(
        mission(),
        [
            {"name": "test_Login", "status": "failed", "classname": "Web", "suite": "e2e > forms"},
            {"name": "test_100%_done", "status": "passed"},
            {"name": "test_other", "status": "failed"},
        ],
    )
    assert [each["name"] for each in results_of(run, status="failed").results] == ["test_Login", "test_other"]
    assert [each["name"] for each in results_of(run, search="LOGIN").results] == ["test_Login"]
    assert [each["name"] for each in results_of(run, search="web").results] == ["test_Login"]
    assert [each["name"] for each in results_of(run, search="forms").results] == ["test_Login"]
    assert [each["name"] for each in results_of(run, search="100%").results] == ["test_100%_done"]
    assert results_of(run, search="%").total == 1
    assert results_of(run, status="error").results == []
    assert results_of(run, status="'; --").results == []


def test_flaky_results_are_marked():
    made = mission()
    # Within one transaction all runs have the same time, so times are given.
    for hour, status in ((2, "failed"), (1, "passed")):
        TestRun.objects.create(
            mission=made,
            status=status,
            results=[{"name": "test_b", "status": status}],
            created_at=row("SELECT now() - %s * interval '1 hour'", [hour])[0],
        )
    run = import_results(made, [FAILED, PASSED])
    assert run.flaky_tests == ["test_b"]
    assert [(each["name"], each["is_flaky"]) for each in results_of(run).results] == [
        ("test_b", True),
        ("test_a", False),
    ]


def test_import_has_fixed_number_of_queries():
    made, counts = mission(), []
    for size in (1, 2000):
        file = report([{"name": f"{uuid4()}", "status": "passed"} for _n in range(size)])
        with CaptureQueriesContext(connection) as asked:
            import_report(mission=made, file=file, actor=Member.objects.system())
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert not TestRunLogPage.objects.exists()
