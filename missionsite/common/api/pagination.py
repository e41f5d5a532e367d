"""Pages of a list by cursor: a page starts after the last row of the one before, however deep it is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from ninja import Query

from missionsite.common.api.problems import InputRejected

PER_PAGE = settings.NINJA_PAGINATION_PER_PAGE
# Arguments of a view: `limit: Limit = PER_PAGE, cursor: Cursor = None`.
Limit = Annotated[int, Query(ge=1, le=settings.NINJA_PAGINATION_MAX_LIMIT, description="Rows a page holds at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="Where the page starts: follow `next` instead of making one up."),
]


@dataclass(frozen=True)
class PageCursor:
    """The place in one list, with its filters, that a cursor may name.

    Cursors are signed: what comes back is what was given out, so its values need no second check.
    """

    list_name: str
    filters: tuple = ()

    def _salt(self) -> str:
        return f"cursor:{self.list_name}:{self.filters!r}"

    def read(self, cursor: str | None) -> list | None:
        """The sort key of the last row before the page; None for the first page.

        Raises InputRejected for a cursor that was not given out for this list with these filters.
        """
        if cursor is None:
            return None
        try:
            return signing.loads(cursor, salt=self._salt())
        except signing.BadSignature:
            words = "This cursor does not belong to this list with these filters. Start again without it."
            raise InputRejected([{"pointer": "query/cursor", "detail": words}], code="cursor_rejected") from None

    def write(self, key: Sequence[Any]) -> str:
        """The cursor for the page after the row with this sort key."""
        return signing.dumps(list(key), salt=self._salt(), serializer=_Serializer)


class _Serializer(signing.JSONSerializer):
    """JSON that also takes instants and UUIDs."""

    def dumps(self, obj) -> bytes:
        # Instants with their microseconds: DjangoJSONEncoder cuts them to milliseconds, and rows would repeat.
        return json.dumps(obj, default=_plain, separators=(",", ":")).encode("latin-1")


def _plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def page_of(
    request: HttpRequest, response: HttpResponse, place: PageCursor, rows: Sequence, limit: int, key_of
) -> dict[str, Any]:
    """The body of a page made of up to `limit` + 1 rows, the last of which only says that there is more.

    `next` is the address of the next page, also given as a Link header (RFC 8288); null on the last page.
    """
    items, following = list(rows[:limit]), None
    if len(rows) > limit:
        query = request.GET.copy()
        query["cursor"] = place.write(key_of(items[-1]))
        following = f"{request.path}?{urlencode(list(query.lists()), doseq=True)}"
        response["Link"] = f'<{following}>; rel="next"'
    return {"items": items, "next": following}
