"""The head of all pages about one person: their badges, and links to what each app has about them.

An app registers its models whose objects are about a person, and the pages that it has for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model
from django.http import HttpRequest

from missionsite.common.annotations import StrOrPromise


@dataclass(frozen=True)
class PersonPage:
    """A page about a person. badges: what is worth knowing on all pages, as HTML.

    model: of the object it shows; the other tabs of that object belong to it. None for a page that is one tab alone.
    """

    title: StrOrPromise
    link: str
    model: type[Model] | None = None
    badges: tuple[str, ...] = ()


# Returns the page of a person, or None if there is none that the member may see.
FindPage = Callable[[Any, HttpRequest], PersonPage | None]

_people: dict[type[Model], Callable[[Any], Model | None]] = {}
_pages: dict[int, FindPage] = {}


def register_person(model: type[Model], person_of: Callable[[Any], Model | None]) -> None:
    """Show the head on the pages of a model. person_of: returns the person of an object, or None."""
    _people[model] = person_of


def register_person_page(find: FindPage, *, order: int) -> None:
    """Add a page to the head. order: of the links. Raises ImproperlyConfigured if another page has it."""
    if _pages.setdefault(order, find) is not find:
        raise ImproperlyConfigured(f"The order {order} belongs to {_pages[order]}.")


def person_head(obj: Model, request: HttpRequest) -> dict | None:
    """The head of a page about an object: name, badges and links; None if the object is about no person."""
    find_person = _people.get(type(obj))
    person = find_person(obj) if find_person else None
    if person is None:
        return None
    pages = [page for order in sorted(_pages) if (page := _pages[order](person, request))]
    if not pages:
        return None
    exact = any(page.link == request.path for page in pages)
    return {
        "name": str(person),
        "badges": [badge for page in pages for badge in page.badges],
        "pages": [
            {"page": page, "is_current": page.link == request.path if exact else page.model is type(obj)}
            for page in pages
        ],
    }
