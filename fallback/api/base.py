"""Shared parts of the API: schemas, lookups and pages."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Path, Schema
from pydantic import ConfigDict

from fallback.models import Project
from fallback.models.choices import DiscardReason, ItemStatus, List, RunStatus
from fallback.selectors.rights import Right, Rights
from missionsite.common.annotations import M, SiteRequest
from missionsite.common.api import Router
from missionsite.common.api.pagination import PageCursor, paginate

router = Router(tags=["projects"])

ULID = "01JD3V9Q8M4X2T6R0B5N7C1KZE"
ProjectKey = Path(..., description="Id of the project.", examples=[ULID], max_length=26)
Key = Path(..., examples=[ULID], max_length=26)

# Fields that take one of the values of a choice. A type checker rejects a Literal made of a list.
if TYPE_CHECKING:
    ItemStatusName: TypeAlias = str
    ListName: TypeAlias = str
    ReasonName: TypeAlias = str
    RunStatusName: TypeAlias = str
else:
    ItemStatusName = Literal[*ItemStatus.values]
    ListName = Literal[*List.values]
    ReasonName = Literal[*(value for value, _label in DiscardReason.of_reviewers())]
    RunStatusName = Literal[*RunStatus.values]


class StrictSchema(Schema):
    """A request body that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid")


def find_project(request: SiteRequest, key: str, right: Right = Right.VIEW) -> Project:
    """A project of the caller. Raises Http404 if it is not visible, NotAllowed without the right."""
    rights = Rights(request.auth.member)
    project = rights.projects().select_related("organization").filter(pk=key).first()
    if project is None:
        raise Http404(gettext("Project {id} not found.").format(id=key))
    rights.check(right, project)
    return project


def find_in(model: type[M], project: Project, key: str) -> M:
    """A row of a project. Raises Http404."""
    if found := model._default_manager.filter(project=project, pk=key).first():
        return found
    raise Http404(gettext("The project has no {kind} {id}.").format(kind=model._meta.verbose_name, id=key))


def after_key(rows: QuerySet[M], key: list | None, instant: str) -> QuerySet[M]:
    """Rows after a sort key, newest first."""
    rows = rows.order_by(f"-{instant}", "-pk")
    if key is None:
        return rows
    at, pk = datetime.fromisoformat(key[0]), key[1]
    return rows.filter(Q(**{f"{instant}__lt": at}) | Q(**{instant: at, "pk__lt": pk}))


def page_response(
    request: SiteRequest,
    response: HttpResponse,
    position: PageCursor,
    rows: QuerySet[M],
    cursor: str | None,
    limit: int,
    instant: str,
    show: Callable[[M], dict],
) -> dict:
    """One page of rows, newest first by the datetime field `instant`."""
    found = list(after_key(rows, position.read(cursor), instant)[: limit + 1])
    page = paginate(request, response, position, found, limit, lambda row: (getattr(row, instant), row.pk))
    page["items"] = [show(row) for row in page["items"]]
    return page


def refreshed(row: M, show: Callable[[M], dict]) -> dict:
    """Reload a row, and return its output."""
    row.refresh_from_db()
    return show(row)


def fields_of(row: Any, *names: str) -> dict:
    """Attributes of a row by name."""
    return {name: getattr(row, name) for name in names}
