"""The API of fallback templates."""

from django.http import HttpResponse
from ninja import Schema, Status
from pydantic import Field

from fallback.api.base import ULID, Key, ProjectKey, fields_of, find_in, find_project, page_response, refreshed, router
from fallback.api.missions import MissionOut, mission_out
from fallback.models import MissionFallbackTemplate
from fallback.models.choices import Trigger
from fallback.scopes import FALLBACK_READ, FALLBACK_RUN
from fallback.selectors.rights import Right
from fallback.services.runs import launch_template
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor


class TemplateOut(Schema):
    """A template of proposals."""

    id: str = Field(examples=[ULID])
    name: str = Field(examples=["Check links"])
    description: str = Field(examples=["Open each link and note what is gone."])
    priority: int = Field(examples=[3])
    estimated_effort_minutes: int = Field(examples=[90])
    enabled: bool = Field(examples=[True])
    max_open: int = Field(description="Open proposals and missions at a time.", examples=[1])
    schedule: str = Field(description="`weekly`, `monthly`, or empty: when work runs low.", examples=[""])
    schedule_day: int | None = Field(description="1 (Monday) to 7, or the day of the month.", examples=[None])
    auto_accept: bool = Field(examples=[False])


class TemplatePage(Schema):
    items: list[TemplateOut]
    next: str | None = Field(examples=[None])


@router.get(
    "/projects/{project}/fallback/templates", response=TemplatePage, tags=["fallback"], summary="List templates"
)
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_templates(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The templates of a project, newest first."""
    found = find_project(request, project)
    position = PageCursor("fallback templates", (found.pk,))
    templates = MissionFallbackTemplate.objects.filter(project=found)
    return page_response(request, response, position, templates, cursor, limit, "created_at", template_out)


@router.post(
    "/projects/{project}/fallback/templates/{template}/launch",
    response={201: MissionOut},
    tags=["fallback"],
    summary="Launch a template",
)
@needs(FALLBACK_RUN, checks_rights=True)
def launch_fallback_template(request: SiteRequest, project: str = ProjectKey, template: str = Key) -> Status:
    """Create a mission from a template, within the weekly cap and the monthly hours.

    A rest and `max_open` are ignored; the run of the mission has them in `skipped`, with `ignored`.
    """
    found = find_in(MissionFallbackTemplate, find_project(request, project, Right.REVIEW), template)
    mission = launch_template(actor=request.auth.member, template=found, triggered_by=Trigger.API)
    return Status(201, refreshed(mission, mission_out))


def template_out(template: MissionFallbackTemplate) -> dict:
    return {
        **fields_of(template, "id", "name", "description", "priority", "estimated_effort_minutes", "enabled"),
        **fields_of(template, "max_open", "schedule", "schedule_day", "auto_accept"),
    }
