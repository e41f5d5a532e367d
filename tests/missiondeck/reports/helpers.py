"""Helpers to read a report given as text."""

import io
import zipfile

import pytest

from missiondeck.reports import Limits, Report, ReportRejected, read_report


def read(text: str | bytes, /, **limits: int) -> Report:
    data = text.encode() if isinstance(text, str) else text
    return read_report(io.BytesIO(data), limits=Limits(**limits))


def rejected(text: str | bytes, /, **limits: int) -> str:
    """The message of the rejection."""
    with pytest.raises(ReportRejected) as error:
        read(text, **limits)
    assert (error.value.status, error.value.code, error.value.field) == (422, "report_rejected", "report")
    return error.value.message


def packed(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def statuses(report: Report) -> dict[str, str]:
    return {result["name"]: result["status"] for result in report.results}


def only(report: Report) -> dict:
    (result,) = report.results
    return result


def case(inside: str = "", attributes: str = "") -> str:
    """A report of one test."""
    return f'<testsuite name="suite"><testcase name="test" {attributes}>{inside}</testcase></testsuite>'
