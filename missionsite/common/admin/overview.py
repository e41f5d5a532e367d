"""The overview of a person: what all apps know about them on one page, each in a section with a link to the rest.

An app registers a section with `register_section`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from missionsite.common.admin.tabs import CustomTab
from missionsite.common.annotations import StrOrPromise

# Rows of a section; its links lead to all of them.
ROWS = 5


@dataclass(frozen=True)
class Section:
    """A section. lines: labels and values, as HTML. rows: one text each. links: titles and addresses of the rest."""

    title: StrOrPromise
    lines: Sequence[tuple[StrOrPromise, StrOrPromise]] = ()
    rows: Sequence[StrOrPromise] = ()
    links: Sequence[tuple[StrOrPromise, str]] = ()
    empty: StrOrPromise = ""


# Returns the section about a person, or None if the member may not see it or there is none.
FindSection = Callable[[Any, HttpRequest], Section | None]

_sections: dict[int, FindSection] = {}


def register_section(find: FindSection, *, order: int) -> None:
    """Add a section to the overviews. Raises ImproperlyConfigured if another section has the order."""
    if _sections.setdefault(order, find) is not find:
        raise ImproperlyConfigured(f"The order {order} belongs to {_sections[order]}.")


def _context(person: Model, request: HttpRequest) -> dict:
    found = [_sections[order](person, request) for order in sorted(_sections)]
    return {"sections": [section for section in found if section]}


OVERVIEW: CustomTab = CustomTab(
    name="overview",
    title=_("Overview"),
    template="missionsite/overview.html",
    context=_context,
    permission="groups.view_member",
)
