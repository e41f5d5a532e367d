"""The API of the caller's stars on projects and missions."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext
from ninja import Schema
from pydantic import Field, model_validator

from fallback.api.base import ULID, StrictSchema, find_project, router
from fallback.models import Mission, Project
from fallback.scopes import INBOX_READ, INBOX_WRITE
from fallback.selectors.rights import Right, Rights
from fallback.selectors.stars import starred_missions, starred_projects
from fallback.services.stars import set_star
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import needs

# Listed of each kind, the latest ones.
MOST = 200


class StarredProject(Schema):
    id: str = Field(examples=[ULID])
    name: str = Field(examples=["Field guide"])


class StarredMission(Schema):
    id: str = Field(examples=[ULID])
    project: str = Field(description="Id of the project.", examples=[ULID])
    title: str = Field(examples=["Check links"])
    list: str = Field(examples=["todo"])


class StarsOut(Schema):
    """What you have starred, latest star first."""

    projects: list[StarredProject] = Field(examples=[[{"id": ULID, "name": "Field guide"}]])
    missions: list[StarredMission] = Field(
        examples=[[{"id": ULID, "project": ULID, "title": "Check links", "list": "todo"}]]
    )


class StarIn(StrictSchema):
    """project or mission: an id, one of them."""

    project: str | None = Field(None, max_length=26, examples=[ULID])
    mission: str | None = Field(None, max_length=26, examples=[None])
    starred: bool = Field(description="False removes the star.", examples=[True])

    @model_validator(mode="after")
    def _one(self) -> "StarIn":
        if (self.project is None) == (self.mission is None):
            raise ValueError(gettext("Give a project or a mission, not both."))
        return self


class StarOut(Schema):
    starred: bool = Field(examples=[True])


@router.get("/stars", response=StarsOut, tags=["stars"], summary="List your stars")
@needs(INBOX_READ, checks_rights=True)
def list_stars(request: SiteRequest) -> dict:
    """The projects and missions that you have starred and can view."""
    member = request.auth.member
    rights = Rights(member)
    return {
        "projects": [{"id": each.pk, "name": each.name} for each in starred_projects(member, rights)[:MOST]],
        "missions": [
            {"id": each.pk, "project": each.project_id, "title": each.title, "list": each.list}
            for each in starred_missions(member, rights)[:MOST]
        ],
    }


@router.post("/stars", response=StarOut, tags=["stars"], summary="Star a project or mission")
@needs(INBOX_WRITE, checks_rights=True)
def star(request: SiteRequest, body: StarIn) -> dict:
    """Star a project or mission that you can view, or remove the star. Moves of a starred mission notify you."""
    subject: Any = find_project(request, body.project) if body.project is not None else _mission(request, body)
    set_star(actor=request.auth.member, subject=subject, starred=body.starred)
    return {"starred": body.starred}


def _mission(request: SiteRequest, body: StarIn) -> Mission | Project:
    visible = Rights(request.auth.member).project_filter(Right.VIEW, path="project__")
    if found := Mission.objects.filter(visible, pk=body.mission).first():
        return found
    raise Http404(gettext("Mission not found."))
