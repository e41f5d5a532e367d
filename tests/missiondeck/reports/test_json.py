"""The JSON format of a run: fields, errors, and summaries that contradict the results."""

import json

import pytest

from tests.missiondeck.reports.helpers import only, read, rejected, statuses

EXAMPLE = {
    "summary": {"functional_passed": 8, "functional_total": 10, "performance_passed": 2, "performance_total": 3},
    "results": [
        {"name": "test_send_message", "status": "passed", "duration": 0.5},
        {
            "name": "test_callback_handler",
            "status": "failed",
            "error": "KeyError: 'callback_data'",
            "traceback": "Traceback (most recent call last): ...",
        },
    ],
}
PASSED = {"name": "a", "status": "passed"}


def read_json(document: object, **limits: int):
    return read(json.dumps(document), **limits)


def run(*results: dict, **keys: object) -> dict:
    return {"results": list(results), **keys}


def test_example_keeps_its_pairs():
    report = read_json(EXAMPLE)

    assert report.results == EXAMPLE["results"]
    assert report.summary == {
        "passed": 1, "failed": 1, "errors": 0, "skipped": 0, "total": 2, "duration": 0.5, **EXAMPLE["summary"],
    }  # fmt: skip
    assert (report.source, report.name, report.logs, report.warning_texts) == ("json", "", "", [])


def test_result_keeps_all_fields():
    result = {
        "name": "a", "status": "passed", "duration": 1, "classname": "C", "suite": "S", "file": "f.py", "error": "e",
        "traceback": "t", "output": "o", "flaky": True, "retries": 2,
    }  # fmt: skip
    report = read_json(run(result, name="nightly", logs="all of it", summary={"duration": 7.5}))

    assert only(report) == result
    assert (report.name, report.logs, report.summary["duration"], report.warning_texts) == (
        "nightly",
        "all of it",
        7.5,
        [],
    )


def test_list_alone_with_key_test_is_read():
    assert statuses(read_json([{"test": "test_foo", "status": "Passed"}])) == {"test_foo": "passed"}


def test_format_is_detected_from_content():
    assert read(b"\xef\xbb\xbf \n" + json.dumps([PASSED]).encode()).source == "json"
    assert read(json.dumps([PASSED]).encode("utf-16")).source == "json"
    assert "neither XML nor JSON" in rejected("name,status\na,passed\n")


def test_unknown_keys_give_warnings():
    report = read_json(run(PASSED | {"colour": "red"}, PASSED | {"colour": "blue"}, by="Alice", summary={"mood": 1}))

    assert sorted(report.warning_texts) == [
        "The key “by” is unknown and was ignored.",
        "The key “colour” is unknown and was ignored 2 times.",
        "The key “summary.mood” is unknown and was ignored.",
    ]


def test_invalid_values_are_ignored_with_warning():
    result = PASSED | {"duration": -1, "error": ["no"], "flaky": "yes", "retries": -3, "classname": 7}
    report = read_json(run(result, logs={"a": 1}))

    assert only(report) == PASSED
    assert report.warning_texts == [
        "One duration is invalid and was ignored: -1 of result 1 (a).",
        "5 values have an unexpected format and were ignored; the first is “error” of result 1 (a).",
    ]


@pytest.mark.parametrize(
    ("summary", "number"),
    [
        ({"failed": 2}, "2 more failures"),
        ({"failures": 1}, "1 more failure"),
        ({"passed": 1, "errors": 1}, "1 more failure"),
        ({"functional_passed": 8, "functional_total": 10}, "2 more failures"),
        ({"a_passed": 1, "a_total": 2, "b_passed": 0, "b_total": 1}, "2 more failures"),
        ({"functional_failed": 3}, "3 more failures"),
    ],
)
def test_summary_with_more_failures_fails_run(summary, number):
    report = read_json(run(PASSED, summary=summary))

    assert report.results[1] == {
        "name": "Summary of the report",
        "status": "error",
        "error": f"The report's summary counts {number} than its results.",
    }
    assert report.summary["errors"] == 1


def test_failed_status_with_passed_results_fails_run():
    report = read_json(run(PASSED, name="nightly", status="failed"))

    assert statuses(report) == {"a": "passed", "nightly": "error"}


def test_passed_status_with_failed_result_gives_warning():
    report = read_json(run({"name": "a", "status": "failed"}, status="passed", summary={"passed": 1, "failed": 0}))

    assert (report.summary["passed"], report.summary["failed"]) == (0, 1)
    assert report.warning_texts == [
        "The summary states 1 passed, 0 failed; the results have 0 passed, 1 failed. The results are used.",
        "The report has the status passed, but some results failed. The results are used.",
    ]


def test_invalid_pairs_are_ignored():
    report = read_json(run(PASSED, summary={"a_passed": 3, "b_passed": 5, "b_total": 4, "c_passed": "1", "c_total": 1}))

    assert set(report.summary) == {"passed", "failed", "errors", "skipped", "total", "duration"}
    assert report.warning_texts[0].startswith("5 values have an unexpected format")


def test_pairs_beyond_limit_still_count():
    summary = {f"{kind}{number}_{which}": 1 for number in range(40) for kind in "ab" for which in ("passed", "total")}
    report = read_json(run(PASSED, summary=summary | {"z_passed": 0, "z_total": 4}))

    assert len([key for key in report.summary if key.endswith("_total")]) == 25
    assert report.results[1]["error"] == "The report's summary counts 4 more failures than its results."


@pytest.mark.parametrize("value", ["2", 2.5, -1, True, [2]])
def test_invalid_summary_counts_are_rejected(value):
    sentence = rejected(json.dumps(run(PASSED, summary={"failed": value})))

    assert sentence.startswith("“failed” of the report's summary is ")


def test_summary_without_results_never_passes():
    assert read_json(run(summary={"passed": 3})).results == []
    assert statuses(read_json(run(summary={"failed": 3}))) == {"Summary of the report": "error"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"results": [{"name": "a", "status": "ok"}]}', "The status of result 1 (a) is “ok”. It must be one of"),
        ('{"results": [{"name": "a"}]}', "The status of result 1 (a) is not given."),
        ('{"results": [{"name": "a", "status": ["passed"]}]}', 'The status of result 1 (a) is ["passed"].'),
        ('{"results": [{"name": "a", "status": "passed"}, {"status": "passed"}]}', "Result 2 of the report has no"),
        ('{"results": [{"name": "  ", "status": "passed"}]}', "Result 1 of the report has no name."),
        ('{"results": [{"name": 7, "status": "passed"}]}', "Result 1 of the report has no name."),
        ('{"results": [7]}', "Result 1 of the report is not an object."),
        ('{"results": {}}', "The report has no list “results”."),
        ("{}", "The report has no list “results”."),
        ('{"results": [], "summary": 3}', "The report's “summary” is not an object."),
        ('{"results": [],\n "results": []}', "has the key “results” twice."),
        ('{"results": [NaN]}', "The report has NaN instead of a number"),
        ('{"results": [-Infinity]}', "The report has -Infinity instead of a number"),
        ('{"results": [1e999]}', "The report has a number that is too large: 1e999."),
        ('{"results": [' + "9" * 5_000 + "]}", "The report has a number of 5,000 digits: 9999"),
        ('{"results":\n [}', "The report is not well-formed JSON, in line 2, column 3: "),
        ('{"results": [', "The report is not well-formed JSON, in line 1"),
        ('{"results": []} {"results": []}', "The report is not well-formed JSON, in line 1, column 17: Extra data."),
        ("[" * 5_000 + "]" * 5_000, "The JSON is nested too deeply."),
    ],
)  # fmt: skip
def test_invalid_json_report_is_rejected(text, sentence):
    assert sentence in rejected(text)


def test_invalid_utf8_is_replaced_with_warning():
    report = read(b'[{"name": "pr\xfcfen", "status": "passed"}]')

    assert only(report)["name"] == "pr\ufffdfen"
    assert report.warning_texts == [
        "The report has bytes that are invalid in its encoding; they were replaced by \ufffd. Save it in UTF-8."
    ]


def test_characters_database_cannot_store_are_replaced():
    report = read('[{"name": "a\\u0000b", "status": "failed", "error": "\\ud800", "output": "\\ud83d\\ude00"}]')

    assert only(report) == {"name": "a\ufffdb", "status": "failed", "error": "\ufffd", "output": "\U0001f600"}


def test_limits_apply_to_json():
    report = read_json(run({"name": "a", "status": "failed", "error": "e" * 500}), text=100)

    assert len(only(report)["error"]) <= 100
    assert "more than 2 tests" in rejected(json.dumps([PASSED] * 3), cases=2)
    assert "larger than 20 bytes" in rejected(json.dumps([PASSED]), file_bytes=20)
