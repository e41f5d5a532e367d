"""The API a CI job needs: bring a test report, or say that tests run and bring the report later."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile as DjangoUploadedFile
from django.http import HttpRequest
from ninja import File, Status, UploadedFile
from pydantic import Field

from missiondeck.api.finding import Number, Order, RunId, mission_to_report_on, run_of
from missiondeck.api.run_shapes import RunFacts, facts_of
from missiondeck.errors import RunFinished
from missiondeck.scopes import DECK_IMPORT
from missiondeck.services.runs import finish_run, import_report, start_run
from missionsite.common.api import BodyTooLarge, Router, needs

router = Router(tags=["test runs"])

Report = File(..., description="JUnit XML, or the JSON of a run; at most 100 MB unless the site is set up otherwise.")
Logs = File(None, description="The tool's whole output as text; at most 60 MB unless the site is set up otherwise.")
# What a multipart body has beside its files.
_AROUND = 64 * 1024


class RunStart(Order):
    name: str = Field("", max_length=255, description="What is run.", examples=["pytest"])


def _longest() -> int:
    return settings.DECK_REPORT_BYTES + settings.DECK_LOGS_BYTES + _AROUND


@router.post(
    "/deck/missions/{number}/runs/import",
    response={200: RunFacts, 201: RunFacts},
    summary="Bring a test report",
)
@needs(DECK_IMPORT, checks_rights=True, longest=_longest)
def import_deck_run(
    request: HttpRequest, number: int = Number, report: UploadedFile = Report, logs: UploadedFile | None = Logs
):
    """Take in a test report as a finished run: 201, or 200 where the same file was taken in before.

    Send it as `multipart/form-data`. Look at `status` in the answer: a failed run is taken in like any other. What of
    the report was not understood is in `warnings` and counts as no pass. A file that is no report is refused with 422,
    and nothing is stored.
    """
    mission = mission_to_report_on(request, number)
    _check_sizes(report, logs)
    taken = import_report(mission=mission, file=report, logs=logs, actor=request.auth.member)
    return Status(201 if taken.is_new else 200, facts_of(mission, taken.run))


@router.post("/deck/missions/{number}/runs", response={201: RunFacts}, summary="Say that tests run")
@needs(DECK_IMPORT, checks_rights=True)
def start_deck_run(request: HttpRequest, order: RunStart, number: int = Number):
    """Begin a run; while it is the latest and runs, its mission is not done."""
    mission = mission_to_report_on(request, number)
    return Status(201, facts_of(mission, start_run(mission=mission, actor=request.auth.member, name=order.name)))


@router.post("/deck/missions/{number}/runs/{run}/finish", response=RunFacts, summary="Finish a test run")
@needs(DECK_IMPORT, checks_rights=True, longest=_longest)
def finish_deck_run(
    request: HttpRequest,
    number: int = Number,
    run: UUID = RunId,
    report: UploadedFile = Report,
    logs: UploadedFile | None = Logs,
):
    """Finish a run with its report, sent as `multipart/form-data`. The same report sent again changes nothing.

    409 where the run was finished with another report, or where the file is another run already.
    """
    mission = mission_to_report_on(request, number)
    found = run_of(mission, run)
    _check_sizes(report, logs)
    try:
        finish_run(run=found, file=report, logs=logs)
    except RunFinished:
        if run_of(mission, run).digest != _digest(report):
            raise
    return facts_of(mission, run_of(mission, run))


def _check_sizes(report: DjangoUploadedFile, logs: DjangoUploadedFile | None) -> None:
    """Refuse a file that is too large before anything of it is read; until then it lies on disk."""
    for name, file, most in (
        ("report", report, settings.DECK_REPORT_BYTES),
        ("logs", logs, settings.DECK_LOGS_BYTES),
    ):
        if file is not None and file.size > most:
            raise BodyTooLarge(f"The file {name} has {file.size:,} bytes; at most {most:,} are taken.", field=name)


def _digest(file: DjangoUploadedFile) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
