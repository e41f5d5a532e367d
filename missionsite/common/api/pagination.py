"""Cursor pagination: a page starts after the last row of the previous one, so deep pages cost no more."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query

from missionsite.common.api.problems import InputRejected

PER_PAGE = settings.NINJA_PAGINATION_PER_PAGE
# Arguments of a view: `limit: Limit = PER_PAGE, cursor: Cursor = None`.
Limit = Annotated[
    int, Query(ge=1, le=settings.NINJA_PAGINATION_MAX_LIMIT, description="Maximum number of rows per page.")
]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="Start of the page. Follow `next` instead of building a cursor."),
]


@dataclass(frozen=True)
class PageCursor:
    """Reads and writes the cursors of one list with its filters.

    Cursors are signed, so the values of a cursor that is sent back need no validation.
    """

    list_name: str
    filters: tuple = ()

    def _salt(self) -> str:
        return f"cursor:{self.list_name}:{self.filters!r}"

    def read(self, cursor: str | None) -> list | None:
        """The sort key of the last row before the page; None for the first page.

        Raises InputRejected for a cursor that was not issued for this list with these filters.
        """
        if cursor is None:
            return None
        try:
            return signing.loads(cursor, salt=self._salt())
        except signing.BadSignature:
            detail = _(
                "This cursor does not belong to this list with these filters. Request the first page without it."
            )
            raise InputRejected([{"pointer": "query/cursor", "detail": detail}], code="cursor_rejected") from None

    def write(self, key: Sequence[Any]) -> str:
        """The cursor for the page after the row with this sort key."""
        return signing.dumps(list(key), salt=self._salt(), serializer=_Serializer)


class _Serializer(signing.JSONSerializer):
    """JSON that also accepts date-times and UUIDs."""

    def dumps(self, obj: Model) -> bytes:
        # With microseconds: DjangoJSONEncoder truncates to milliseconds, which would repeat rows.
        return json.dumps(obj, default=_plain, separators=(",", ":")).encode("latin-1")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def paginate(
    request: HttpRequest, response: HttpResponse, page_cursor: PageCursor, rows: Sequence, limit: int, key_of: Any
) -> dict[str, Any]:
    """The body of a page, given up to `limit` + 1 rows; the extra row only shows that there is a next page.

    `next` is the address of the next page, also given as a Link header (RFC 8288); null on the last page.
    """
    items, following = list(rows[:limit]), None
    if len(rows) > limit:
        query = request.GET.copy()
        query["cursor"] = page_cursor.write(key_of(items[-1]))
        following = f"{request.path}?{urlencode(list(query.lists()), doseq=True)}"
        response["Link"] = f'<{following}>; rel="next"'
    return {"items": items, "next": following}
