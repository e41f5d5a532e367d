"""Types for annotations that Django does not have."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise
else:
    # Text, or text that is translated when it is shown; the stubs are only installed for development.
    StrOrPromise = str

__all__ = ["M", "SiteRequest", "StrOrPromise"]

# The model of a class for rows of one table.
M = TypeVar("M", bound=Model)


class SiteRequest(HttpRequest):
    """A request with what this site keeps on it. Every request has an id; the rest is set by the code that names it."""

    id: str
    # The Caller or Gateway of an API request.
    auth: Any
    # Of the back office: the error of a service that the form shows, the object that the form added, the plaintext of
    # a new token, and whether a search stopped at its limit.
    service_error: Exception
    added: Any
    new_token: str
    search_found_more: bool
    # Whom the request views the site as, and whether a page tried to write meanwhile.
    view_as: Any
    write_rejected: bool
