"""The API of client missions: list, details, changes and status."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypedDict
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Schema, Status
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from groups.models import Member
from missiondeck import rules
from missiondeck.api.access import (
    ADD,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    MOVE,
    OVERRIDE,
    Number,
    Order,
    get_mission_to_change,
    get_template,
    get_visible_mission,
    visible_missions,
)
from missiondeck.api.access import CHANGE as EDIT
from missiondeck.api.names import LastRunName, StatusName
from missiondeck.models import DeckMission, DeckStatus, DodItem
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.missions import missing_of
from missiondeck.services.missions import change_status, create_deck_mission, update_deck_mission
from missiondeck.services.templates import apply_template
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate
from missionsite.common.api.problems import Problem

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

router = Router(tags=["client missions"])

ME = "me"


class Progress(Schema):
    """The progress of the definition of done."""

    done: int = Field(examples=[6])
    total: int = Field(examples=[9])


class LastRun(Schema):
    """The latest test run."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    status: str = Field(description="`running`, `passed` or `failed`.", examples=["failed"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class DeckMissionOut(Schema):
    """A client mission."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    number: int = Field(description="Number of the mission, used in URLs.", examples=[47])
    title: str = Field(examples=["Telegram Notifier"])
    client: str = Field(examples=["Acme Corp"])
    budget: int = Field(description="Whole units of the currency.", examples=[300])
    currency: str = Field(examples=["USD"])
    deadline: datetime = Field(examples=[EXAMPLE_TIME])
    is_overdue: bool = Field(
        description="Whether the deadline has passed and the mission is not complete.", examples=[False]
    )
    status: str = Field(description="`active`, `qa` or `complete`.", examples=["qa"])
    assigned_to: str = Field(description="E-mail address of the assignee.", examples=["noor@example.org"])
    assignee: str | None = Field(
        description="Stable ID of the member with that e-mail address.", examples=["FE-P-00007"]
    )
    github_url: str = Field(examples=["https://github.com/example/notifier"])
    progress: Progress = Field(description="Of its definition of done.", examples=[{"done": 6, "total": 9}])
    last_run: LastRun | None = Field(description="Null if there is none yet.", examples=[None])
    completed_at: datetime | None = Field(examples=[None])
    completed_by: str | None = Field(description="Stable ID.", examples=[None])
    override_reason: str = Field(
        description="Reason for completing the mission although something was missing.", examples=[""]
    )
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])


class DeckMissionPage(Schema):
    items: list[DeckMissionOut]
    next: str | None = Field(examples=[None])


class Missing(Schema):
    """A reason why a mission cannot be completed."""

    what: str = Field(
        description="`no_items`, `open_items` with `count` and some `items`, `no_test_run`, `test_run` with the"
        " `status` of the latest run, or `earlier_test_run` with the `status` and id of a `run` that began before it"
        " and is still running or ended later.",
        examples=["open_items"],
    )
    count: int | None = Field(None, description="Open items.", examples=[3])
    items: list[str] | None = Field(
        None, description="Some of them, 20 at most.", examples=[["Every handler is tested"]]
    )
    status: str | None = Field(None, description="Of a test run.", examples=[None])
    run: UUID | None = Field(None, description="The id of the test run.", examples=[None])
    suite: str | None = Field(None, description="The suite of the run.", examples=[None])
    environment: str | None = Field(None, description="The environment of the run.", examples=[None])
    limit: int | None = Field(None, description="What the rule demands.", examples=[None])
    tests: list[str] | None = Field(None, description="Some vanished tests, 50 at most.", examples=[None])


class DeckMissionDetail(DeckMissionOut):
    """A client mission, and what is missing to complete it."""

    missing: list[Missing] = Field(
        description="What is missing to complete it; empty if it can be completed.",
        examples=[[{"what": "no_test_run"}]],
    )


class NotDoneProblem(Problem):
    """The error of a status change that is rejected; of completing a mission that is not done, with what is missing."""

    missing: list[Missing] | None = Field(
        None, description="Only if the mission is not done.", examples=[[{"what": "no_test_run"}]]
    )


def _check_email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("Enter an e-mail address.") from None
    return text


def _check_deadline(at: datetime) -> datetime:
    if not rules.FIRST_YEAR <= at.year <= rules.LAST_YEAR:
        raise ValueError(f"Choose a year from {rules.FIRST_YEAR} to {rules.LAST_YEAR}.")
    return at


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_check_email)]
Currency = Annotated[str, StringConstraints(pattern=rules.CURRENCY)]
Deadline = Annotated[AwareDatetime, AfterValidator(_check_deadline)]
Repository = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
MAX_INTEGER = 2**31 - 1


class NewDeckMission(Order):
    title: Line = Field(examples=["Telegram Notifier"])
    client: Line = Field(examples=["Acme Corp"])
    budget: int = Field(ge=1, le=MAX_INTEGER, description="Whole units of the currency.", examples=[300])
    currency: Currency = Field("USD", examples=["USD"])
    deadline: Deadline = Field(description="With a UTC offset.", examples=[EXAMPLE_TIME])
    assigned_to: Address = Field(examples=["noor@example.org"])
    github_url: Repository = Field("", examples=["https://github.com/example/notifier"])
    template: UUID | None = Field(
        None, description="A template of a definition of done, whose items are added.", examples=[None]
    )


class DeckMissionChange(Order):
    title: Line | None = Field(None, examples=["Telegram Notifier"])
    client: Line | None = Field(None, examples=["Acme Corp"])
    budget: int | None = Field(None, ge=1, le=MAX_INTEGER, examples=[350])
    currency: Currency | None = Field(None, examples=["EUR"])
    deadline: Deadline | None = Field(None, examples=[EXAMPLE_TIME])
    assigned_to: Address | None = Field(None, examples=["noor@example.org"])
    github_url: Repository | None = Field(None, description="Empty to remove it.", examples=[""])


class DeckStatusIn(Order):
    to: StatusName = Field(description="The next status, or the previous one with a reason.", examples=["complete"])
    reason: str = Field("", max_length=rules.REASON_LENGTH, examples=["The client signed it off as it is"])
    override: bool = Field(
        False, description="Complete it although something is missing; needs a separate permission.", examples=[False]
    )


@router.get("/deck/missions", response=DeckMissionPage, summary="List client missions")
@needs(DECK_READ, checks_rights=True)
def list_deck_missions(
    request: SiteRequest,
    response: HttpResponse,
    status: StatusName | None = None,
    client: str | None = Query(None, max_length=200, description="Part of the client's name.", examples=["acme"]),
    assigned_to: str | None = Query(None, max_length=254, description="`me`, or an e-mail address.", examples=["me"]),
    overdue: bool | None = None,
    last_run: LastRunName | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The client missions that you may view, newest first, with filters."""
    me = request.auth.member
    missions = visible_missions(me)
    if status:
        missions = missions.filter(status=status)
    if client:
        missions = missions.filter(client__icontains=client)
    if assigned_to:
        whose = Q(assignee=me) if assigned_to == ME else Q(assigned_to__iexact=assigned_to)
        missions = missions.filter(whose)
    if overdue is not None:
        late = Q(deadline__lt=timezone.now()) & ~Q(status=DeckStatus.COMPLETE)
        missions = missions.filter(late if overdue else ~late)
    if last_run == "none":
        missions = missions.filter(latest_run=None)
    elif last_run:
        missions = missions.filter(latest_run__status=last_run)
    position = PageCursor("client missions", (str(me.pk), status, client, assigned_to, overdue, last_run))
    if key := position.read(cursor):
        missions = missions.filter(number__lt=key[0])
    rows = list(_with_related(missions).order_by("-number")[: limit + 1])
    page = paginate(request, response, position, rows, limit, lambda row: (row.number,))
    page["items"] = [_mission_out(row) for row in page["items"]]
    return page


@router.get("/deck/missions/{number}", response=DeckMissionDetail, summary="Show a client mission")
@needs(DECK_READ, checks_rights=True)
def get_deck_mission(request: SiteRequest, number: int = Number):
    """One client mission, and what is missing to complete it."""
    return _detail_out(get_visible_mission(request, number))


@router.post("/deck/missions", response={201: DeckMissionDetail}, summary="Add a client mission")
@needs(DECK_WRITE, checks_rights=True)
def add_deck_mission(request: SiteRequest, order: NewDeckMission):
    """Add a client mission. It starts active and gets the next number."""
    request.auth.need(ADD)
    values, actor = order.dict(), request.auth.member
    key = values.pop("template")
    template = get_template(request, key) if key else None
    mission = create_deck_mission(actor=actor, **values)
    if template:
        apply_template(actor=actor, mission=mission, template=template)
    return Status(201, _detail_out(mission))


@router.patch("/deck/missions/{number}", response=DeckMissionDetail, summary="Change a client mission")
@needs(DECK_WRITE, checks_rights=True)
def change_deck_mission(request: SiteRequest, order: DeckMissionChange, number: int = Number):
    """Change the given fields. The status is changed by its own operation."""
    mission = get_mission_to_change(request, number, EDIT)
    changes = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    return _detail_out(update_deck_mission(actor=request.auth.member, mission=mission, **changes))


@router.post(
    "/deck/missions/{number}/status",
    response={200: DeckMissionDetail, 409: NotDoneProblem},
    summary="Change the status of a client mission",
)
@needs(DECK_WRITE, checks_rights=True)
def change_deck_mission_status(request: SiteRequest, order: DeckStatusIn, number: int = Number):
    """Change the status one step forward (QA, complete), or one step back with a reason.

    409 `not_done` lists what is missing in `detail` and `missing`. With `override` and a reason the mission is
    completed anyway, and both are recorded.
    """
    mission = get_mission_to_change(request, number, MOVE)
    if order.override:
        request.auth.need(OVERRIDE)
    actor = request.auth.member
    moved = change_status(actor=actor, mission=mission, to=order.to, reason=order.reason, override=order.override)
    return _detail_out(moved)


# --- Showing --------------------------------------------------------------------------------------


class _WithRelated(TypedDict):
    """What _with_related() adds to a mission. counted: the items that are done and all; None without items."""

    counted: dict[str, int] | None


def _with_related(missions: QuerySet[DeckMission]) -> QuerySet[WithAnnotations[DeckMission, _WithRelated]]:
    """Missions with related rows and progress, loaded in the same query."""
    items = DodItem.objects.filter(mission=OuterRef("pk")).order_by().values("mission")
    counts = items.annotate(counts=JSONObject(done=Count("pk", filter=Q(completed=True)), total=Count("pk"))).values(
        "counts"
    )
    beside = missions.select_related("assignee", "completed_by", "latest_run")
    return beside.annotate(counted=Subquery(counts))


_BESIDE = ("is_overdue", "assignee", "completed_by", "progress", "last_run")


def _mission_out(mission: WithAnnotations[DeckMission, _WithRelated]) -> dict:
    is_complete = mission.status == DeckStatus.COMPLETE
    # A mission without runs has no such row.
    run = getattr(mission, "latest_run", None)
    named = [name for name in DeckMissionOut.model_fields if name not in _BESIDE]
    return {name: getattr(mission, name) for name in named} | {
        "is_overdue": not is_complete and mission.deadline < timezone.now(),
        "assignee": _stable_id(mission.assignee),
        "completed_by": _stable_id(mission.completed_by),
        "progress": mission.counted or {"done": 0, "total": 0},
        "last_run": run and {"id": run.run_id, "status": run.status, "created_at": run.created_at},
    }


def _detail_out(mission: DeckMission) -> dict:
    shown = _with_related(DeckMission.objects.filter(pk=mission.pk)).get()
    missing = [] if shown.status == DeckStatus.COMPLETE else missing_of(shown)
    return _mission_out(shown) | {"missing": missing}


def _stable_id(member: Member | None) -> str | None:
    return member.member_id if member else None
