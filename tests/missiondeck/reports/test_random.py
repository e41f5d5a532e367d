"""Random reports: totals are correct, and any bytes give a report or an error."""

import io
import json
from xml.sax.saxutils import escape, quoteattr

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from missiondeck.reports import Limits, Report, ReportRejected, read_report

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Characters allowed in XML 1.0.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=["Cs", "Cc"]), max_size=40
)
NAME = TEXT.map(str.strip).filter(bool)
BAD = {"failed": "failure", "error": "error"}
CASE = st.tuples(
    st.sampled_from(["passed", "failed", "error", "skipped"]),
    NAME,
    TEXT,
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.booleans(),
)
SUITE = st.recursive(
    st.tuples(NAME, st.lists(CASE, max_size=4), st.just([])),
    lambda inner: st.tuples(NAME, st.lists(CASE, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=8,
)
SHORT_LIMITS = Limits(text=100, kept_bytes=2_000, logs_bytes=300)


def written(suite: tuple, totals: dict[str, int]) -> str:
    """A suite as XML. totals: increased by its tests."""
    name, cases, inner = suite
    before = dict(totals)
    parts = []
    for status, case, text, seconds, has_output in cases:
        totals[status] += 1
        time = "" if seconds is None else f' time="{seconds:.6f}"'
        parts.append(f"<testcase name={quoteattr(case)}{time}>")
        if element := BAD.get(status):
            parts.append(f"<{element} message={quoteattr(text)}>{escape(text)}</{element}>")
        elif status == "skipped":
            parts.append(f"<skipped message={quoteattr(text)}/>")
        if has_output:
            parts.append(f"<system-out>{escape(text)}</system-out>")
        parts.append("</testcase>")
    parts += [written(each, totals) for each in inner]
    mine = {key: totals[key] - before[key] for key in totals}
    stated = f'tests="{sum(mine.values())}" failures="{mine["failed"]}" errors="{mine["error"]}"'
    return f'<testsuite name={quoteattr(name)} {stated} skipped="{mine["skipped"]}">{"".join(parts)}</testsuite>'


def check(report: Report) -> None:
    """Check the invariants of a report."""
    summary = report.summary
    assert summary["total"] == len(report.results)
    assert summary["passed"] + summary["failed"] + summary["errors"] + summary["skipped"] == summary["total"]
    assert len(report.warning_texts) <= 50
    known = {
        "name", "status", "duration", "classname", "suite", "file", "error", "traceback", "output", "flaky", "retries",
    }  # fmt: skip
    stored = 0
    for result in report.results:
        assert set(result) <= known
        assert result["name"]
        assert result["status"] in ("passed", "failed", "error", "skipped")
        assert 0 <= result.get("duration", 0) < 1e10
        texts = [result.get(key, "") for key in ("error", "traceback", "output")]
        assert all(len(text) <= SHORT_LIMITS.text for text in texts)
        stored += sum(len(text.encode()) for text in texts)
    assert stored <= SHORT_LIMITS.kept_bytes
    assert len(report.logs.encode()) <= SHORT_LIMITS.logs_bytes
    # PostgreSQL stores UTF-8 without NUL.
    everything = json.dumps([report.results, report.summary, report.logs, report.name], ensure_ascii=False)
    everything.encode()
    assert "\\u0000" not in everything


def read(data: bytes) -> Report | None:
    """The checked report; None if it is rejected."""
    rejection = None
    try:
        report = read_report(io.BytesIO(data), limits=SHORT_LIMITS)
    except ReportRejected as error:
        rejection = error.message
    if rejection is not None:
        assert rejection.endswith(".")
        assert len(rejection) < 400
        return None
    check(report)
    return report


@FEW
@given(SUITE, st.booleans(), st.sampled_from(["utf-8", "utf-16"]))
def test_totals_equal_written_tests(suite, with_root, encoding):
    totals = dict.fromkeys(("passed", "failed", "error", "skipped"), 0)
    text = written(suite, totals)
    if with_root:
        text = f"<testsuites>{text}</testsuites>"

    report = read(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))

    assert report is not None
    found = {key: report.summary["errors" if key == "error" else key] for key in totals}
    assert found == totals
    assert not [sentence for sentence in report.warning_texts if "states" in sentence]


@FEW
@given(SUITE, st.data())
def test_mutated_report_is_read_or_rejected(suite, data):
    report = bytearray(written(suite, dict.fromkeys(("passed", "failed", "error", "skipped"), 0)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(report)))
        until = data.draw(st.integers(at, min(len(report), at + 30)))
        report[at:until] = data.draw(
            st.sampled_from([b"", b"<", b">", b"&", b"\0", b"<failure>", b"</testcase>", b"]]>", b"\xff", b"'", b'"'])
            | st.binary(max_size=8)
        )

    read(bytes(report))


@FEW
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda rest: b"<testsuite>" + rest))
@example(b"\xff\xfe<\0")
@example(b"\xfe\xff\0<\0a\0>")
@example(b"<?xml version='1.0' encoding='idna'?><testsuite/>")
@example(b"<?xml version='1.0' encoding='rot13'?><testsuite/>")
@example(b"<?xml version='1.0' encoding='\xff'?><testsuite/>")
def test_any_bytes_are_read_or_rejected(data):
    read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
RESULT = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=9), "status": st.sampled_from(["passed", "failed", "error", "skipped"])},
    optional=dict.fromkeys(["duration", "error", "traceback", "output", "flaky", "retries", "suite", "x"], JSON),
)


@FEW
@given(
    JSON
    | st.fixed_dictionaries(
        {"results": st.lists(RESULT, max_size=4) | JSON},
        optional={
            "summary": st.dictionaries(
                st.sampled_from(["passed", "failed", "errors", "a_passed", "a_total", "duration", "a_failed"]), JSON
            ),
            "name": JSON,
            "logs": JSON,
            "status": JSON,
        },
    )
)
def test_any_json_is_read_or_rejected(document):
    read(json.dumps(document).encode("utf-8", "surrogatepass"))


@FEW
@given(
    st.lists(st.sampled_from(["passed", "skipped"]), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from(["failed", "errors", "x_failed"]), st.integers(0, 3), max_size=3),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_summary_never_hides_failure(listed, claims, passed, total):
    document = {
        "results": [{"name": "t", "status": status} for status in listed],
        "summary": claims | {"some_passed": passed, "some_total": total},
    }

    report = read(json.dumps(document).encode())

    claims_failures = any(claims.values()) or passed < total
    assert bool(report.summary["failed"] + report.summary["errors"]) == claims_failures
