"""The API for CI jobs: import a test report, or start a run and finish it with its report."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile as DjangoUploadedFile
from django.utils.translation import ngettext
from ninja import File, Status, UploadedFile
from pydantic import Field

from missiondeck.api.access import Number, Order, RunId, get_mission_to_report_on, get_run
from missiondeck.api.run_schemas import RunFacts, run_out
from missiondeck.errors import RunFinished
from missiondeck.models import RunStatus, TestRun
from missiondeck.reports import digest_of
from missiondeck.scopes import DECK_IMPORT
from missiondeck.services.runs import GIVEN_UP, finish_run, give_up_run, import_report, start_run
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import BodyTooLarge, Router, needs
from missionsite.common.api.idempotency import HEADER

router = Router(tags=["test runs"])

Reports = File(
    ...,
    min_length=1,
    description="JUnit XML or JSON. Several files, such as shards, become one run. Together at most 100 MB by default.",
)
Logs = File(None, description="The complete output of the tool as text; at most 60 MB by default.")
# Bytes of a multipart body beside its files.
_AROUND = 64 * 1024


class RunStart(Order):
    name: str = Field("", max_length=255, description="Name of the run.", examples=["pytest"])


def _max_bytes() -> int:
    return settings.DECK_REPORT_BYTES + settings.DECK_LOGS_BYTES + _AROUND


@router.post(
    "/deck/missions/{number}/runs/import",
    response={200: RunFacts, 201: RunFacts},
    summary="Import a test report",
)
@needs(DECK_IMPORT, checks_rights=True, longest=_max_bytes)
def import_deck_run(
    request: SiteRequest, number: int = Number, report: list[UploadedFile] = Reports, logs: UploadedFile | None = Logs
):
    """Import a test report as a finished run: 201, or 200 if the same report was imported before.

    Send `multipart/form-data` with a part `report` for each file of the run. With an `Idempotency-Key`, the same
    report under the same key is a retry and under another key a new run. Without a key, the same report is a retry
    while its run is the latest of the mission, and otherwise a new run. Check `status` in the response: a failed run
    is imported like any other. Parts of the report that were not understood are listed in `warnings` and never count
    as passed; colours and control characters are removed from texts. A file that is not a test report is rejected
    with 422, and nothing is stored.
    """
    mission = get_mission_to_report_on(request, number)
    _check_sizes(report, logs)
    taken = import_report(
        actor=request.auth.member,
        mission=mission,
        file=report[0],
        more=report[1:],
        logs=logs,
        key=request.headers.get(HEADER, ""),
    )
    return Status(201 if taken.is_new else 200, run_out(mission, taken.run))


@router.post("/deck/missions/{number}/runs", response={201: RunFacts}, summary="Start a test run")
@needs(DECK_IMPORT, checks_rights=True)
def start_deck_run(request: SiteRequest, order: RunStart, number: int = Number):
    """Start a run. A mission with a running run cannot be completed: finish the run or give it up."""
    mission = get_mission_to_report_on(request, number)
    return Status(201, run_out(mission, start_run(actor=request.auth.member, mission=mission, name=order.name)))


@router.post("/deck/missions/{number}/runs/{run}/finish", response=RunFacts, summary="Finish a test run")
@needs(DECK_IMPORT, checks_rights=True, longest=_max_bytes)
def finish_deck_run(
    request: SiteRequest,
    number: int = Number,
    run: UUID = RunId,
    report: list[UploadedFile] = Reports,
    logs: UploadedFile | None = Logs,
):
    """Finish a run with its report, sent as `multipart/form-data`. Sending the same report again changes nothing.

    409 if the run was finished with another report, or given up.
    """
    mission = get_mission_to_report_on(request, number)
    found = get_run(mission, run)
    _check_sizes(report, logs)
    try:
        finish_run(actor=request.auth.member, run=found, file=report[0], more=report[1:], logs=logs)
    except RunFinished:
        if get_run(mission, run).digest != digest_of(report):
            raise
    return run_out(mission, get_run(mission, run))


@router.post("/deck/missions/{number}/runs/{run}/give-up", response=RunFacts, summary="Give up a test run")
@needs(DECK_IMPORT, checks_rights=True)
def give_up_deck_run(request: SiteRequest, number: int = Number, run: UUID = RunId):
    """Mark a run as failed because its report will not arrive. Repeating the request changes nothing.

    409 if it was finished with a report.
    """
    mission = get_mission_to_report_on(request, number)
    found = get_run(mission, run)
    try:
        give_up_run(actor=request.auth.member, run=found)
    except RunFinished:
        if not _is_given_up(get_run(mission, run)):
            raise
    return run_out(mission, get_run(mission, run))


def _is_given_up(run: TestRun) -> bool:
    return run.status == RunStatus.FAILED and run.warnings == [GIVEN_UP]


def _check_sizes(reports: Sequence[DjangoUploadedFile], logs: DjangoUploadedFile | None) -> None:
    """Reject files that are too large before they are read."""
    for name, files, most in (
        ("report", reports, settings.DECK_REPORT_BYTES),
        ("logs", [logs] if logs else [], settings.DECK_LOGS_BYTES),
    ):
        if (size := sum(file.size or 0 for file in files)) > most:
            text = ngettext(
                "The file %(name)s has %(size)s bytes; at most %(limit)s are accepted.",
                "The %(count)s files %(name)s have %(size)s bytes; at most %(limit)s are accepted.",
                len(files),
            )
            values = {"count": len(files), "name": name, "size": f"{size:,}", "limit": f"{most:,}"}
            raise BodyTooLarge(text % values, field=name)
