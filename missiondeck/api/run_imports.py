"""The API for CI jobs: import a test report, or start a run and finish it with its report."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile as DjangoUploadedFile
from django.utils.translation import ngettext
from ninja import File, Form, Status, UploadedFile
from pydantic import AwareDatetime, ConfigDict, Field

from missiondeck.api.access import EXAMPLE_TIME, Number, Order, RunId, get_mission_to_report_on, get_run
from missiondeck.api.run_schemas import RunFacts, run_out
from missiondeck.errors import RunFinished
from missiondeck.reports import digest_of
from missiondeck.rules import MAX_SHARDS
from missiondeck.scopes import DECK_IMPORT
from missiondeck.services.runs import CiRun, finish_run, give_up_run, import_report, start_run
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import BodyTooLarge, Router, needs
from missionsite.common.api.idempotency import HEADER

router = Router(tags=["test runs"])

Reports = File(
    ...,
    min_length=1,
    description="JUnit XML or another format, or a zip archive of such files. Several files, such as shards, become one"
    " run. Together at most 100 MB by default, unpacked.",
)
LastReports = File(None, description="As for an import; optional for a run of CI that has received its reports.")
Logs = File(None, description="The complete output of the tool as text; at most 60 MB by default.")
# Bytes of a multipart body beside its files.
_AROUND = 64 * 1024


class CiRunIn(Order):
    """How CI identifies a run; all optional. Reports with the same commit or build and the same other values are one
    run."""

    commit: str = Field("", max_length=64, description="The full commit hash.", examples=["f" * 40])
    branch: str = Field("", max_length=200, examples=["main"])
    build_url: str = Field(
        "", max_length=500, description="URL of the build.", examples=["https://ci.example.org/runs/812"]
    )
    job: str = Field("", max_length=150, description="The suite, the same for all of its shards.", examples=["unit"])
    attempt: int = Field(1, ge=1, le=1_000_000, description="Attempt of the build, from 1.", examples=[1])
    environment: str = Field("", max_length=100, examples=["Python 3.13 on Linux"])
    shards: int | None = Field(
        None, ge=1, le=MAX_SHARDS, description="Number of shards; the run ends when all have arrived.", examples=[4]
    )
    started_at: AwareDatetime | None = Field(None, description="When the tests started.", examples=[EXAMPLE_TIME])
    committed_at: AwareDatetime | None = Field(
        None, description="When the commit was made; the newest commit decides.", examples=[EXAMPLE_TIME]
    )


class PartIn(CiRunIn):
    model_config = ConfigDict(extra="ignore")

    shard: int | None = Field(
        None, ge=1, le=MAX_SHARDS, description="Number of the shard in this report, from 1.", examples=[1]
    )


class RunStart(CiRunIn):
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
    request: SiteRequest,
    ci: Form[PartIn],
    number: int = Number,
    report: list[UploadedFile] = Reports,
    logs: UploadedFile | None = Logs,
):
    """Import a test report as a finished run: 201, or 200 if the same report was imported before.

    Send `multipart/form-data` with a part `report` for each file of the run. With a `commit` or a `build_url` the
    report is a part of a run of CI: reports with the same commit, branch, build, job, attempt and environment are one
    run. State the number of `shards`, so that the run stays open until all of them have arrived.

    Without these, an `Idempotency-Key` identifies the run: the same report under the same key is a retry, and under
    another key a new run. Without a key, the same report is a retry while its run is the latest of the mission, and
    otherwise a new run. Check `status` in the response: a failed run is imported like any other. Parts of the report
    that were not understood are listed in `warnings` and never count as passed; colours and control characters are
    removed from texts. A file that is not a test report is rejected with 422, and nothing is stored.
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
        ci=CiRun(**ci.dict()),
    )
    return Status(201 if taken.is_new else 200, run_out(mission, taken.run))


@router.post("/deck/missions/{number}/runs", response={201: RunFacts}, summary="Start a test run")
@needs(DECK_IMPORT, checks_rights=True)
def start_deck_run(request: SiteRequest, order: RunStart, number: int = Number):
    """Start a run. A mission with a running run cannot be completed: finish the run or give it up.

    A run of CI that is running already is returned. It can get its reports by `runs/import`, and is finished when all
    announced shards have arrived, or by `finish` if no number was announced.
    """
    mission = get_mission_to_report_on(request, number)
    ci = CiRun(**order.dict(exclude={"name"}))
    run = start_run(actor=request.auth.member, mission=mission, name=order.name, ci=ci)
    return Status(201, run_out(mission, run))


@router.post("/deck/missions/{number}/runs/{run}/finish", response=RunFacts, summary="Finish a test run")
@needs(DECK_IMPORT, checks_rights=True, longest=_max_bytes)
def finish_deck_run(
    request: SiteRequest,
    number: int = Number,
    run: UUID = RunId,
    report: list[UploadedFile] | None = LastReports,
    logs: UploadedFile | None = Logs,
):
    """Finish a run with its report, sent as `multipart/form-data`. Sending the same report again changes nothing.

    A run of CI that has received reports needs no further one; it has failed if announced shards are missing. 409 if
    the run was finished with another report, or given up.
    """
    mission = get_mission_to_report_on(request, number)
    found = get_run(mission, run)
    files = report or []
    _check_sizes(files, logs)
    try:
        finish_run(actor=request.auth.member, run=found, file=next(iter(files), None), more=files[1:], logs=logs)
    except RunFinished:
        done = get_run(mission, run)
        if done.is_given_up or (report and done.digest != digest_of(report)):
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
        if not get_run(mission, run).is_given_up:
            raise
    return run_out(mission, get_run(mission, run))


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
