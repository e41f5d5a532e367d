"""Durations, totals and texts."""

import pytest

from missiondeck.reports.values import Text, Unreadable, clean, count, name, seconds, short
from tests.missiondeck.reports.helpers import case, only, read


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5), ("0", 0), ("0.", 0), (".5", 0.5), ("1e-3", 0.001), (" 2 ", 2), ("007", 7),
        ("1,234.5", 1234.5), ("1,234,567", 1234567), ("1.234,5", 1234.5), ("1.234.567,25", 1234567.25),
        ("0,5", 0.5), ("0,125", 0.125), ("12,5", 12.5), ("1234,5", 1234.5),
        ("0.5s", 0.5), ("3 sec", 3), ("250ms", 0.25), ("12 ms", 0.012),
        ("1m2.5s", 62.5), ("1h 1m", 3660), ("7µs", 7e-6),
        ("1:02:03.5", 3723.5), ("2:03", 123), ("00:00:00.250", 0.25),
    ],
)  # fmt: skip
def test_durations_are_parsed(text, value):
    assert seconds(text) == (pytest.approx(value), False)


def test_comma_before_three_digits_is_ambiguous():
    report = read(case(attributes='time="1,234"'))

    assert only(report)["duration"] == 1234
    assert report.warning_texts == [
        "One duration is ambiguous; its comma was read as a thousands separator: “1,234” of test, line 1."
    ]


@pytest.mark.parametrize("text", ["", "  "])
def test_missing_duration_is_accepted(text):
    report = read(case(attributes=f'time="{text}"'))

    assert "duration" not in only(report)
    assert report.warning_texts == []


@pytest.mark.parametrize(
    "text",
    ["-1", "-0.5s", "NaN", "inf", "-Infinity", "1e400", "1e12", "0x10", "1_000", "1.2.3", "1,2,3", "5 parsecs", "s",
     "1m!", "٣", "9" * 50, "1:2:3:4"],
)  # fmt: skip
def test_invalid_durations_are_ignored(text):
    with pytest.raises(Unreadable):
        seconds(text)

    report = read(case(attributes=f'time="{text}"'))

    assert "duration" not in only(report)
    assert report.warning_texts[0].startswith("One duration is invalid and was ignored: “")


def test_totals_are_parsed():
    assert [count(text) for text in ("3", " 0 ", "", None)] == [3, 0, None, None]
    for text in ("-1", "1.0", "²", "9" * 13, "NaN"):
        with pytest.raises(Unreadable):
            count(text)


def test_long_text_is_cut_with_note():
    report = read(case(f"<failure message='m'>{'x' * 500}</failure><system-out>{'y' * 99}</system-out>"), text=100)

    traceback = only(report)["traceback"]
    assert len(traceback) <= 100
    stored = traceback.count("x")
    assert traceback == "x" * stored + f"… (cut here: {500 - stored:,} more characters)"
    assert only(report)["output"] == "y" * 99
    assert report.warning_texts == ["One text of a test is longer than 100 characters and was cut."]


def test_text_of_maximum_length_is_kept():
    text = Text(10)
    text.add("12345")
    text.add("67890")

    assert (text.value(), text.beyond) == ("1234567890", 0)


def test_outputs_are_removed_before_errors():
    tests = "".join(
        f'<testcase name="t{number}"><system-out>{"o" * 400}</system-out>'
        f"{'' if number < 4 else '<failure message=' + chr(34) + 'e' * 300 + chr(34) + '/>'}</testcase>"
        for number in range(8)
    )
    report = read(f"<testsuite>{tests}</testsuite>", kept_bytes=1_700)

    stored = sum(len(result.get(key, "")) for result in report.results for key in ("error", "traceback", "output"))
    assert stored <= 1_700
    assert [len(result.get("error", "")) for result in report.results] == [0] * 4 + [300] * 4
    # The first outputs are kept.
    assert "output" in report.results[0]
    assert not any("output" in result for result in report.results[2:])
    assert report.warning_texts == ["The texts of this report exceed 1,700 bytes: the output of 7 tests was removed."]


def test_errors_beyond_limit_are_removed_verdict_kept():
    tests = f'<testcase name="t"><failure message="{"e" * 300}"/></testcase>' * 4
    report = read(f"<testsuite>{tests}</testsuite>", kept_bytes=700)

    assert ["error" in result for result in report.results] == [True, True, False, False]
    assert report.summary["failed"] == 4
    assert "the error or traceback of 2 tests was removed" in report.warning_texts[0]


def test_long_logs_are_cut():
    report = read(
        f"<testsuite name='s'><testcase name='a'/><system-out>{'é' * 5_000}</system-out>"
        "<system-err>late</system-err></testsuite>",
        logs_bytes=1_000,
    )

    assert len(report.logs.encode()) <= 1_000
    assert report.logs.startswith("=== s: system-out ===\néé")
    assert report.logs.endswith("more characters)\n")
    assert "late" not in report.logs
    assert report.warning_texts == ["The output of the suites is larger than 1,000 bytes and was cut at the end."]


def test_long_names_stay_distinct():
    one, two = name("n" * 5_000 + "1"), name("n" * 5_000 + "2")

    assert one != two
    assert len(one) <= 1_000
    assert name(one) == one
    report = read(f'<testsuite name="{"s" * 2_000}"><testcase name="{"n" * 2_000}"/></testsuite>')
    assert max(map(len, only(report).values())) <= 1_000
    assert report.warning_texts[0].startswith("2 names are too long and were cut; the first is sss")


def test_characters_database_cannot_store_are_replaced():
    assert clean("a\0b\ud800c\U0001f600é") == "a\ufffdb\ufffdc\U0001f600é"
    assert short("a\n\tb" + "c" * 200, 10) == "a bcccccc…"
