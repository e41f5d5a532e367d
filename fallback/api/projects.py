"""The API of projects."""

from django.http import HttpResponse
from ninja import Schema
from pydantic import Field

from fallback.api.base import ULID, ProjectKey, after_key, fields_of, find_project, router
from fallback.models import Project
from fallback.scopes import PROJECTS_READ
from fallback.selectors.rights import Right, Rights
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate


class ProjectOut(Schema):
    """A project."""

    id: str = Field(examples=[ULID])
    name: str = Field(examples=["Field guide"])
    organization: str = Field(examples=["Futures Edge"])
    description: str = Field(examples=["A guide for new groups."])
    status: str = Field(description="`active` or `archived`.", examples=["active"])
    rights: list[str] = Field(description="Your rights in this project.", examples=[["view", "contribute", "review"]])


class ProjectPage(Schema):
    items: list[ProjectOut]
    next: str | None = Field(examples=[None])


@router.get("/projects", response=ProjectPage, summary="List your projects")
@needs(PROJECTS_READ, checks_rights=True)
def list_projects(request: SiteRequest, response: HttpResponse, limit: Limit = PER_PAGE, cursor: Cursor = None) -> dict:
    """Your projects, newest first."""
    rights = Rights(request.auth.member)
    position = PageCursor("projects", (str(request.auth.member.pk),))
    rows = after_key(rights.projects().select_related("organization"), position.read(cursor), "created_at")
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    page["items"] = [project_out(project, rights) for project in page["items"]]
    return page


@router.get("/projects/{project}", response=ProjectOut, summary="Show a project")
@needs(PROJECTS_READ, checks_rights=True)
def get_project(request: SiteRequest, project: str = ProjectKey) -> dict:
    """One project, with your rights in it."""
    return project_out(find_project(request, project), Rights(request.auth.member))


def project_out(project: Project, rights: Rights) -> dict:
    return {
        **fields_of(project, "id", "name", "description", "status"),
        "organization": project.organization.name,
        "rights": [right.name.lower() for right in Right if rights.allows(right, project)],
    }
