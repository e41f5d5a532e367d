"""Short ways to read a report that stands in a test."""

import io

import pytest

from missiondeck.reports import Limits, Report, ReportRefused, read_report


def read(text: str | bytes, /, **limits: int) -> Report:
    data = text.encode() if isinstance(text, str) else text
    return read_report(io.BytesIO(data), limits=Limits(**limits))


def refused(text: str | bytes, /, **limits: int) -> str:
    """The sentence it is refused with."""
    with pytest.raises(ReportRefused) as error:
        read(text, **limits)
    assert (error.value.status, error.value.code, error.value.field) == (422, "report_refused", "report")
    return error.value.message


def statuses(report: Report) -> dict[str, str]:
    return {result["name"]: result["status"] for result in report.results}


def only(report: Report) -> dict:
    (result,) = report.results
    return result


def case(inside: str = "", attributes: str = "") -> str:
    """A report of one test."""
    return f'<testsuite name="suite"><testcase name="test" {attributes}>{inside}</testcase></testsuite>'
