"""The timeline of a person: what all apps know about them, newest first, with a filter by kind.

An app registers a source with `register_timeline`. A page reads each chosen source once, by an index on the person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from missionsite.common.admin.tabs import CustomTab
from missionsite.common.annotations import StrOrPromise

# Entries of a page, and a few more if the last ones happened at one instant.
PER_PAGE = 50


@dataclass(frozen=True)
class Entry:
    """One entry. text: what happened, as HTML with links. detail: more about it."""

    at: datetime
    text: StrOrPromise
    detail: StrOrPromise = ""


@dataclass(frozen=True)
class Source:
    """A kind of entries.

    name: its value in the address. permission: needed to see it. rows: those of a person, in any order. instant: the
    field by which they are ordered; an index on the person and this field makes the page fast. entry: of a row.
    """

    name: str
    title: StrOrPromise
    icon: str
    permission: str
    rows: Callable[[Any], QuerySet]
    instant: str
    entry: Callable[[Any], Entry]

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    def read(self, person: Model, before: datetime | None) -> list[Entry]:
        """The newest entries before an instant, one more than a page has."""
        rows = self.rows(person)
        if before:
            rows = rows.filter(**{f"{self.instant}__lt": before})
        return [self.entry(row) for row in rows.order_by(f"-{self.instant}", "-pk")[: PER_PAGE + 1]]


_sources: dict[int, Source] = {}


def register_timeline(source: Source, *, order: int) -> None:
    """Add a source to the timelines. order: of the filters. Raises ImproperlyConfigured if another source has it."""
    if _sources.setdefault(order, source) is not source:
        raise ImproperlyConfigured(f"The order {order} of {source.name} belongs to {_sources[order].name}.")


def sources_of(request: HttpRequest) -> list[Source]:
    """The sources that the member may see."""
    return [_sources[order] for order in sorted(_sources) if _sources[order].allowed(request)]


def _context(person: Model, request: HttpRequest) -> dict:
    allowed = sources_of(request)
    chosen = [source for source in allowed if source.name in request.GET.getlist("kind")]
    before = _instant(request.GET.get("before", ""))
    entries = [(source, entry) for source in chosen or allowed for entry in source.read(person, before)]
    entries.sort(key=lambda found: found[1].at, reverse=True)
    page = entries[:PER_PAGE]
    # Entries of one instant stay on one page, since the next one begins before it.
    page += [found for found in entries[PER_PAGE:] if found[1].at == page[-1][1].at]
    kinds = [("kind", source.name) for source in chosen]
    older = [*kinds, ("before", page[-1][1].at.isoformat())] if len(entries) > len(page) else []
    return {
        "entries": page,
        "filters": [{"source": source, "is_chosen": source in chosen} for source in allowed],
        "is_filtered": bool(chosen),
        "older_link": f"?{urlencode(older)}" if older else "",
        "newest_link": f"?{urlencode(kinds)}" if before else "",
    }


def _instant(text: str) -> datetime | None:
    """The aware instant in a text; None for any other text."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo and 1900 < found.year < 9000 else None


TIMELINE: CustomTab = CustomTab(
    name="timeline",
    title=_("Timeline"),
    template="missionsite/timeline.html",
    context=_context,
    permission="groups.view_member",
)
