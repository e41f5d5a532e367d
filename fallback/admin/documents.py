"""The documents of a mission: a tab of its page, rendered, with an editor and the earlier versions."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.admin.base import ProjectCustomTab, member_of, rights_of
from fallback.errors import DocumentChanged
from fallback.models import Mission, MissionDocumentVersion
from fallback.selectors.documents import documents_of
from fallback.selectors.rights import Right
from fallback.services.documents import path_of, remove_document_text, save_document
from missionsite.common.admin.actions import post_action
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.tabs import custom_tab_view
from missionsite.common.errors import DomainError
from missionsite.common.rendering import render_markdown

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

# Versions listed, the latest ones.
VERSIONS = 100
SOLUTION = "solution.md"


class DocumentForm(forms.Form):
    name = forms.RegexField(rules.DOCUMENT_NAME, widget=forms.HiddenInput)
    based_on = forms.IntegerField(min_value=0, max_value=1_000_000, widget=forms.HiddenInput)
    content = forms.CharField(
        label=_("Text"),
        required=False,
        strip=False,
        max_length=rules.DOCUMENT_LENGTH,
        help_text=_("Markdown."),
        widget=forms.Textarea(attrs={"rows": 18, "dir": "auto"}),
    )


def label_of(name: str) -> str:
    """The name of a document on pages: "Solution", "Task 2"."""
    if name == SOLUTION:
        return gettext("Solution")
    return gettext("Task {number}").format(number=name.removeprefix("tasks/").removesuffix(".md"))


def address_of(mission_id: str, name: str, **parameters: object) -> str:
    """The address of a document on the page of its mission."""
    query = urlencode({"document": name, **parameters})
    return f"{reverse('admin:fallback_mission_documents', args=[mission_id])}?{query}"


def _context(mission: Mission, request: HttpRequest) -> dict:
    """The context of the tab. A form that was not saved is in `request.unsaved_document`."""
    documents = documents_of(mission)
    form, latest = getattr(request, "unsaved_document", (None, None))
    name = (form["name"].value() if form else request.GET.get("document")) or (
        documents[0].name if documents else SOLUTION
    )
    current = next((document for document in documents if document.name == name), None)
    may_edit = rights_of(request).allows(Right.CONTRIBUTE, mission.project)
    if form is None and may_edit and "edit" in request.GET and _is_name(name):
        form = DocumentForm(
            initial={
                "name": name,
                "based_on": current.version if current else 0,
                "content": current.content if current else "",
            }
        )
    shown = _chosen_version(mission, name, request.GET.get("version")) or current
    return {
        "documents": [
            {"label": label_of(each.name), "url": address_of(mission.pk, each.name), "active": each.name == name}
            for each in documents
        ],
        "name": name,
        "label": label_of(name) if _is_name(name) else name,
        "path": path_of(mission.pk, name) if current else "",
        "shown": shown,
        "is_latest": shown is not None and current is not None and shown.pk == current.pk,
        "html": render_markdown(shown.content) if shown and not shown.removed_at else "",
        "form": form if may_edit else None,
        "conflict": _conflict(latest, form) if latest and form else None,
        "save_url": reverse("admin:fallback_mission_document", args=[mission.pk]),
        "edit_url": address_of(mission.pk, name, edit=1) if may_edit and _is_name(name) else "",
        "show_url": address_of(mission.pk, name),
        "add_url": address_of(mission.pk, _next_task(documents), edit=1) if may_edit else "",
        "has_solution": any(each.name == SOLUTION for each in documents),
        "solution_url": address_of(mission.pk, SOLUTION, edit=1) if may_edit else "",
        "versions": _versions(mission, name, current, request),
    }


def _is_name(name: str) -> bool:
    return DocumentForm({"name": name, "based_on": "0"}).is_valid()


def _next_task(documents: list[MissionDocumentVersion]) -> str:
    numbers = [int(each.name.removeprefix("tasks/").removesuffix(".md")) for each in documents if each.name != SOLUTION]
    return f"tasks/{max(numbers, default=0) + 1}.md"


def _chosen_version(mission: Mission, name: str, number: str | None) -> MissionDocumentVersion | None:
    if not (number or "").isdecimal() or len(number or "") > 7:
        return None
    versions = MissionDocumentVersion.objects.select_related("author")
    return versions.filter(mission=mission, name=name, version=int(number or 0)).first()


def _conflict(latest: MissionDocumentVersion, form: forms.Form) -> dict:
    """The text that was saved meanwhile, and how the text of the form differs from it."""
    typed = (form["content"].value() or "").replace("\r\n", "\n")
    lines = unified_diff(
        latest.content.splitlines(), typed.splitlines(), gettext("Saved text"), gettext("Your text"), lineterm=""
    )
    return {"latest": latest, "difference": "\n".join(lines)}


def _versions(
    mission: Mission, name: str, current: MissionDocumentVersion | None, request: HttpRequest
) -> list[dict[str, Any]]:
    may_remove = rights_of(request).allows(Right.MAINTAIN, mission.project)
    found = MissionDocumentVersion.objects.filter(mission=mission, name=name).select_related("author")
    return [
        {
            "version": each,
            "url": address_of(mission.pk, name, version=each.version),
            "remove_url": reverse("admin:fallback_document_remove", args=[each.pk])
            if may_remove and current and each.pk != current.pk and not each.removed_at
            else "",
        }
        for each in found.order_by("-version")[:VERSIONS]
    ]


DOCUMENTS: ProjectCustomTab[Mission] = ProjectCustomTab(
    name="documents", title=_("Documents"), template="fallback/documents.html", context=_context
)


def save_view(model_admin: ModelAdmin, request: HttpRequest, mission_id: str) -> HttpResponse:
    """Save a document. With an error, or if another text was saved meanwhile, the page has the typed text again."""

    def failed(request: HttpRequest, error: DomainError, **parts: Any) -> HttpResponse:
        form = DocumentForm(request.POST)
        if not form.is_valid() and {"name", "based_on"} & form.errors.keys():
            raise Http404(gettext("The mission has no such document.")) from error
        latest = None
        if isinstance(error, DocumentChanged):
            latest = error.latest
            # Saving again replaces the text that the page shows now.
            form.data = {**form.data.dict(), "based_on": str(latest.version if latest else 0)}  # type: ignore[attr-defined]
        if not form.errors or latest:
            form.add_error("content", str(error.message))
        request.unsaved_document = (form, latest)  # type: ignore[attr-defined]
        response = custom_tab_view(model_admin, request, DOCUMENTS, mission_id)
        response.status_code = error.status
        return response

    def save(request: HttpRequest, mission_id: str) -> FormResult:
        mission = Mission.objects.filter(rights_of(request).project_filter(Right.VIEW, path="project__"))
        found = mission.select_related("project").filter(pk=mission_id).first()
        if found is None:
            raise Http404(gettext("Mission not found."))
        rights_of(request).check(Right.CONTRIBUTE, found.project)
        form = DocumentForm(request.POST)
        if not form.is_valid():
            raise DomainError(str(next(iter(form.errors.values()))[0]))
        values = form.cleaned_data
        save_document(
            actor=member_of(request),
            mission=found,
            name=values["name"],
            content=values["content"],
            based_on=values["based_on"],
        )
        return FormResult(address_of(mission_id, values["name"]), gettext("Document saved."))

    return post_action(failed=failed)(save)(request, mission_id=mission_id)


def _back_to_document(version_id: str) -> str:
    version = MissionDocumentVersion.objects.filter(pk=version_id).first()
    return address_of(version.mission_id, version.name) if version else "/admin/"


@post_action(back=_back_to_document)
def remove_view(request: HttpRequest, version_id: str) -> FormResult:
    """Remove the text of an earlier version."""
    visible = rights_of(request).project_filter(Right.VIEW, path="mission__project__")
    version = (
        MissionDocumentVersion.objects.filter(visible).select_related("mission__project").filter(pk=version_id).first()
    )
    if version is None:
        raise Http404(gettext("Version not found."))
    rights_of(request).check(Right.MAINTAIN, version.mission.project)
    remove_document_text(actor=member_of(request), version=version)
    return FormResult(_back_to_document(version_id), gettext("Text removed."))
