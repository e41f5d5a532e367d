"""The state of a workspace page as held in its URL. Invalid parameters are ignored."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from missiondeck.models import DeckMission, ResultStatus
from missiondeck.rules import CITIZEN_KEY
from missiondeck.selectors.comparisons import KINDS

LONGEST_SEARCH = 200
# The highest page number that is accepted.
LAST_PAGE = 1_000_000
# The tabs of a run besides its tests.
TABS = ("changes", "errors")


@dataclass(frozen=True)
class WorkspaceUrl:
    """citizen: the open tab; "" opens the citizen with the latest message. before: the chat ends before this message.

    run: the chosen test run; None is the latest. runs: a page of runs, from 1. status, q, page: the filters and
    page of its results, after or before the result at a place ("3-1204": its rank and number). show: the open tab
    of the run. against: the run it is compared with. kind: the kind of changes. log: a page of its logs, 0 while
    they are hidden. find: the search text for its logs. edit: the item of the definition of done that is being
    edited. comments: the item whose comments are shown.
    """

    mission: UUID
    citizen: str = ""
    before: UUID | None = None
    run: UUID | None = None
    runs: int = 1
    status: str = ""
    q: str = ""
    page: int = 1
    after: str = ""
    upto: str = ""
    show: str = ""
    against: UUID | None = None
    kind: str = ""
    log: int = 0
    find: str = ""
    edit: UUID | None = None
    comments: UUID | None = None

    @classmethod
    def of(cls, request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
        query = request.GET
        return cls(
            mission=mission.pk,
            citizen=_key(query.get("citizen")),
            before=parse_key(query.get("before")),
            run=parse_key(query.get("run")),
            runs=_number(query.get("runs"), otherwise=1),
            status=_one_of(query.get("status"), ResultStatus.values),
            q=_text(query.get("q")),
            page=_number(query.get("page"), otherwise=1),
            after=_place(query.get("after")),
            upto=_place(query.get("upto")),
            show=_one_of(query.get("show"), list(TABS)),
            against=parse_key(query.get("against")),
            kind=_one_of(query.get("kind"), list(KINDS)),
            log=_number(query.get("log"), otherwise=0),
            find=_text(query.get("find")),
            edit=parse_key(query.get("edit")),
            comments=parse_key(query.get("comments")),
        )

    def to(self, **changes) -> WorkspaceUrl:
        return replace(self, **changes)

    def first_page(self, **changes) -> WorkspaceUrl:
        """As `to`, with the first page of the results."""
        return replace(self, page=1, after="", upto="", **changes)

    @property
    def query(self) -> str:
        """The query string with its question mark; "" when every value is the default."""
        values = {name: getattr(self, name) for name in _NAMES if getattr(self, name) != _DEFAULTS[name]}
        return f"?{urlencode(values)}" if values else ""

    @property
    def href(self) -> str:
        return reverse("admin:missiondeck_workspace", args=[self.mission]) + self.query

    def test(self, key: UUID | str) -> str:
        """The URL of the page of a test."""
        return reverse("admin:missiondeck_workspace_test", args=[self.mission, str(UUID(str(key)))])

    def file(self, evidence: UUID) -> str:
        """The URL of a file that is evidence."""
        return reverse("admin:missiondeck_workspace_evidence_file", args=[self.mission, evidence])

    def action(self, name: str, *args) -> str:
        """The URL of an action; its query string restores this page."""
        return reverse(f"admin:missiondeck_workspace_{name}", args=[self.mission, *args]) + self.query


_DEFAULTS = {each.name: each.default for each in fields(WorkspaceUrl) if each.name != "mission"}
_NAMES = tuple(_DEFAULTS)


def key_of(text: str) -> UUID:
    """A UUID from a part of a URL; the nil UUID, which no row has, if it is invalid."""
    return parse_key(text) or UUID(int=0)


def parse_key(text: str | None) -> UUID | None:
    """A UUID; None if the text is missing or invalid."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _one_of(text: str | None, choices: list[str]) -> str:
    return text if text in choices else ""


def _place(text: str | None) -> str:
    return text if text and re.fullmatch(r"[0-9]-[0-9]{1,9}", text, re.ASCII) else ""


def _key(text: str | None) -> str:
    return text if text and re.match(CITIZEN_KEY, text) else ""


def _text(text: str | None) -> str:
    return (text or "").replace("\x00", "").strip()[:LONGEST_SEARCH]


def _number(text: str | None, *, otherwise: int) -> int:
    try:
        number = int((text or "")[:12])
    except ValueError:
        return otherwise
    return number if 1 <= number <= LAST_PAGE else otherwise
