"""Where on a workspace someone is, as its address says; what makes no sense there is left out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from missiondeck.models import Citizen, DeckMission, ResultStatus

LONGEST_SEARCH = 200
# No list here has more pages.
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class WorkspaceUrl:
    """citizen: whose tab; "" is for whoever spoke last. before: the chat ends before this message.

    run: the chosen test run; the latest where there is none. runs: a page of runs, from 1. status, q, page: which
    results of it. log: a page of its logs, 0 while they are closed. find: what its logs are searched for. edit: the
    item of the definition of done that is open for editing.
    """

    mission: UUID
    citizen: str = ""
    before: UUID | None = None
    run: UUID | None = None
    runs: int = 1
    status: str = ""
    q: str = ""
    page: int = 1
    log: int = 0
    find: str = ""
    edit: UUID | None = None

    @classmethod
    def of(cls, request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
        query = request.GET
        return cls(
            mission=mission.pk,
            citizen=_one_of(query.get("citizen"), Citizen.values),
            before=_key(query.get("before")),
            run=_key(query.get("run")),
            runs=_number(query.get("runs"), otherwise=1),
            status=_one_of(query.get("status"), ResultStatus.values),
            q=_text(query.get("q")),
            page=_number(query.get("page"), otherwise=1),
            log=_number(query.get("log"), otherwise=0),
            find=_text(query.get("find")),
            edit=_key(query.get("edit")),
        )

    def to(self, **changes) -> WorkspaceUrl:
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """The part of an address after its question mark, with it; "" where nothing is chosen."""
        values = {name: getattr(self, name) for name in _NAMES if getattr(self, name) != _DEFAULTS[name]}
        return f"?{urlencode(values)}" if values else ""

    @property
    def href(self) -> str:
        return reverse("admin:missiondeck_workspace", args=[self.mission]) + self.query

    def action(self, name: str, *args) -> str:
        """The address of something that is done here; it leads back to this place."""
        return reverse(f"admin:missiondeck_workspace_{name}", args=[self.mission, *args]) + self.query


_DEFAULTS = {each.name: each.default for each in fields(WorkspaceUrl) if each.name != "mission"}
_NAMES = tuple(_DEFAULTS)


def key_of(text: str) -> UUID | None:
    """A key from a part of an address; None where it is none."""
    return _key(text)


def _key(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _one_of(text: str | None, choices: list[str]) -> str:
    return text if text in choices else ""


def _text(text: str | None) -> str:
    return (text or "").replace("\x00", "").strip()[:LONGEST_SEARCH]


def _number(text: str | None, *, otherwise: int) -> int:
    try:
        number = int((text or "")[:12])
    except ValueError:
        return otherwise
    return number if 1 <= number <= LAST_PAGE else otherwise
