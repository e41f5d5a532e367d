"""The API of the documents of a mission."""

from datetime import datetime

from django.http import Http404
from django.utils.translation import gettext
from ninja import Query, Schema
from pydantic import Field

from fallback import rules
from fallback.api.base import ULID, Key, ProjectKey, StrictSchema, fields_of, find_in, find_project, router
from fallback.models import Mission, MissionDocumentVersion
from fallback.scopes import PROJECTS_READ, PROJECTS_WRITE
from fallback.selectors.documents import documents_of, latest_version
from fallback.selectors.rights import Right
from fallback.services.documents import path_of, save_document
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import needs


class MissionDocumentEntry(Schema):
    """A document of a mission, without its text."""

    name: str = Field(description="`solution.md`, or `tasks/1.md` and so on.", examples=["solution.md"])
    version: int = Field(examples=[3])
    path: str = Field(description="In the document store.", examples=[f"solo-unicorn-docs/missions/{ULID}/solution.md"])
    origin: str = Field(description="`user`, `agent` or `system`.", examples=["agent"])
    created_at: datetime = Field(description="When this version was saved.", examples=["2026-11-20T09:30:00Z"])


class MissionDocumentOut(MissionDocumentEntry):
    """A document of a mission."""

    content: str = Field(description="CommonMark.", examples=["# How it was done"])


class MissionDocumentIn(StrictSchema):
    name: str = Field(pattern=rules.DOCUMENT_NAME, examples=["solution.md"])
    content: str = Field(max_length=rules.DOCUMENT_LENGTH, examples=["# How it was done"])
    based_on: int = Field(
        0, ge=0, le=1_000_000, description="The version that was edited, 0 for a new document.", examples=[2]
    )


@router.get(
    "/projects/{project}/missions/{mission}/documents",
    response=list[MissionDocumentEntry],
    summary="List the documents of a mission",
)
@needs(PROJECTS_READ, checks_rights=True)
def list_mission_documents(request: SiteRequest, project: str = ProjectKey, mission: str = Key) -> list[dict]:
    """The latest version of each document, without its text: at most 1,000."""
    found = find_in(Mission, find_project(request, project), mission)
    return [document_entry(version) for version in documents_of(found)]


@router.get(
    "/projects/{project}/missions/{mission}/document",
    response=MissionDocumentOut,
    summary="Show a document of a mission",
)
@needs(PROJECTS_READ, checks_rights=True)
def get_mission_document(
    request: SiteRequest,
    project: str = ProjectKey,
    mission: str = Key,
    name: str = Query("solution.md", max_length=20, description="`solution.md`, or `tasks/1.md` and so on."),
) -> dict:
    """The latest version of a document."""
    version = latest_version(find_in(Mission, find_project(request, project), mission), name)
    if version is None:
        raise Http404(gettext("The mission has no such document."))
    return document_out(version)


@router.put(
    "/projects/{project}/missions/{mission}/document",
    response=MissionDocumentOut,
    summary="Save a document of a mission",
)
@needs(PROJECTS_WRITE, checks_rights=True)
def save_mission_document(
    request: SiteRequest, body: MissionDocumentIn, project: str = ProjectKey, mission: str = Key
) -> dict:
    """Save a version. 409 `document_changed` if another one was saved since `based_on`: read it, and send again."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    return document_out(
        save_document(
            actor=request.auth.member, mission=found, name=body.name, content=body.content, based_on=body.based_on
        )
    )


def document_entry(version: MissionDocumentVersion) -> dict:
    return {
        **fields_of(version, "name", "version", "origin", "created_at"),
        "path": path_of(version.mission_id, version.name),
    }


def document_out(version: MissionDocumentVersion) -> dict:
    return {**document_entry(version), "content": version.content}
