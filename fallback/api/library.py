"""The API of the library of templates: listing, publishing, copying, and taking over what changed at an origin."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field

from fallback.api.base import ULID, StrictSchema, fields_of, find_project, page_response, refreshed, router
from fallback.api.templates import TemplateOut, template_out
from fallback.models import MissionFallbackTemplate
from fallback.scopes import FALLBACK_READ, FALLBACK_SHARE
from fallback.selectors.library import CONTENT, changes_at_origin, copy_of, published_templates
from fallback.selectors.rights import Right, Rights
from fallback.services.library import copy_template, publish_template, take_over_changes
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor
from missionsite.common.errors import NotAllowed

OriginKey = Path(..., description="Id of a template of the library.", examples=[ULID], max_length=26)
CopyKey = Path(..., description="Id of a template that was copied.", examples=[ULID], max_length=26)
if TYPE_CHECKING:
    FieldName: TypeAlias = str
else:
    FieldName = Literal[*CONTENT]


class LibraryTemplate(Schema):
    """A template of the library."""

    id: str = Field(examples=[ULID])
    organization: str = Field(description="Name of the organisation that shares it.", examples=["Futures Edge"])
    name: str = Field(examples=["Check links"])
    description: str = Field(examples=["Open each link and note what is gone."])
    acceptance_criteria: str = Field(examples=["No link is broken."])
    priority: int = Field(examples=[3])
    estimated_effort_minutes: int = Field(examples=[90])
    tags: list[str] = Field(examples=[["docs"]])
    published_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])


class LibraryPage(Schema):
    items: list[LibraryTemplate]
    next: str | None = Field(examples=[None])


class TemplateToPublish(StrictSchema):
    template: str = Field(max_length=26, examples=[ULID])


class CopyTo(StrictSchema):
    project: str = Field(max_length=26, description="Id of the project.", examples=[ULID])


class OriginChange(Schema):
    """A field that changed at the origin. own: its value in the copy."""

    field: str = Field(examples=["name"])
    before: Any = Field(examples=["Check links"])
    after: Any = Field(examples=["Check all links"])
    own: Any = Field(examples=["Check links"])


class FieldsToTake(StrictSchema):
    fields: list[FieldName] = Field(
        max_length=len(CONTENT), description="What is not named stays, and is not shown again.", examples=[["name"]]
    )


@router.get("/library", response=LibraryPage, tags=["library"], summary="List the library of templates")
@needs(FALLBACK_READ, checks_rights=True)
def list_library(request: SiteRequest, response: HttpResponse, limit: Limit = PER_PAGE, cursor: Cursor = None) -> dict:
    """The templates that organisations share, latest first."""
    if not Rights(request.auth.member).in_any_project(Right.VIEW):
        raise NotAllowed(gettext("Only members of a project see the library."))
    position = PageCursor("library")
    return page_response(request, response, position, published_templates(), cursor, limit, "published_at", _out)


@router.post("/library", response=LibraryTemplate, tags=["library"], summary="Publish a template")
@needs(FALLBACK_SHARE, checks_rights=True)
def publish_library_template(request: SiteRequest, body: TemplateToPublish) -> dict:
    """Share a template of a project that you maintain with all organisations."""
    found = _template(request, body.template)
    return _out(publish_template(actor=request.auth.member, template=found))


@router.post("/library/{origin}/withdraw", response=TemplateOut, tags=["library"], summary="Withdraw a template")
@needs(FALLBACK_SHARE, checks_rights=True)
def withdraw_library_template(request: SiteRequest, origin: str = OriginKey) -> dict:
    """Take a template of a project that you maintain out of the library. Copies stay."""
    found = _template(request, origin)
    return template_out(publish_template(actor=request.auth.member, template=found, published=False))


@router.post(
    "/library/{origin}/copy", response={201: TemplateOut}, tags=["library"], summary="Copy a template of the library"
)
@needs(FALLBACK_SHARE, checks_rights=True)
def copy_library_template(request: SiteRequest, body: CopyTo, origin: str = OriginKey) -> Status:
    """Copy a template to a project that you maintain, disabled, with its first flow, actor and repository."""
    project = find_project(request, body.project, Right.MAINTAIN)
    found = published_templates().filter(pk=origin).first()
    if found is None:
        raise Http404(gettext("The library has no such template."))
    made = copy_template(actor=request.auth.member, origin=found, project=project)
    return Status(201, refreshed(made, template_out))


@router.get(
    "/library/copies/{copied}/changes",
    response=list[OriginChange],
    tags=["library"],
    summary="List what changed at the origin of a copy",
)
@needs(FALLBACK_READ, checks_rights=True)
def list_origin_changes(request: SiteRequest, copied: str = CopyKey) -> list[dict]:
    """The fields that changed at the origin since the copy was made or took over changes."""
    return [each._asdict() for each in changes_at_origin(copy_of(_template(request, copied, Right.VIEW)))]


@router.post(
    "/library/copies/{copied}/take-over",
    response=TemplateOut,
    tags=["library"],
    summary="Take over changes of an origin",
)
@needs(FALLBACK_SHARE, checks_rights=True)
def take_over_origin_changes(request: SiteRequest, body: FieldsToTake, copied: str = CopyKey) -> dict:
    """Take over what changed at the origin, field by field."""
    found = _template(request, copied)
    return template_out(take_over_changes(actor=request.auth.member, template=found, fields=body.fields))


def _template(request: SiteRequest, key: str, right: Right = Right.MAINTAIN) -> MissionFallbackTemplate:
    """A template of a project that the caller can view. Raises Http404, and NotAllowed without the right."""
    rights = Rights(request.auth.member)
    visible = rights.project_filter(Right.VIEW, path="project__")
    found = MissionFallbackTemplate.objects.filter(visible, pk=key).select_related("project__organization").first()
    if found is None:
        raise Http404(gettext("Template {id} not found.").format(id=key))
    rights.check(right, found.project)
    return found


def _out(template: MissionFallbackTemplate) -> dict:
    return {
        **fields_of(template, "id", "published_at", *CONTENT),
        "organization": template.project.organization.name,
    }
