"""The actions on the definition of done of a workspace: items and their evidence."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from missiondeck.admin.base import current_member
from missiondeck.admin.workspace_evidence import EvidenceForm, SignatureForm, find_evidence, roles_of
from missiondeck.admin.workspace_forms import CommentForm, ItemForm, TemplateChoiceForm
from missiondeck.admin.workspace_page import CHANGE, COMMENT, VIEW, action, find_mission, item_removed
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of
from missiondeck.models import DeckMission, DodItem, Evidence
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missiondeck.services.comments import add_item_comment
from missiondeck.services.evidence import add_evidence, remove_evidence, sign_off
from missiondeck.services.templates import apply_template
from missionsite.common.admin.actions import InvalidForm, valid_values


@action(CHANGE, part="add", back="ws-checklist", creates=True)
def add_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Add an item to the definition of done."""
    add_item(actor=current_member(request), mission=mission, **valid_values(ItemForm(request.POST)))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="template", back="ws-checklist")
def template_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Add the items of a template that the mission does not have yet."""
    template = valid_values(TemplateChoiceForm(request.POST))["template"]
    apply_template(actor=current_member(request), mission=mission, template=template)
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def tick_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Mark an item as done (done=1) or open (done=0)."""
    if (done := request.POST.get("done")) not in ("0", "1"):
        raise InvalidForm(gettext("Choose whether the item is done."), field="done")
    tick_item(actor=current_member(request), item=_find_item(mission, dod_item), done=done == "1")
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="edit", back="ws-checklist")
def edit_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Change the text or the category of an item."""
    item = _find_item(mission, dod_item)
    update_item(actor=current_member(request), item=item, **valid_values(ItemForm(request.POST)))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def position_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Move an item up or down within its category."""
    item = _find_item(mission, dod_item)
    if (to := request.POST.get("to")) not in ("up", "down"):
        raise InvalidForm(gettext("Choose a direction: up or down."), field="to")
    keys = list(DodItem.objects.filter(mission=mission, category=item.category).values_list("pk", flat=True))
    if item.pk not in keys:
        raise item_removed()
    move_item(actor=current_member(request), item=item, to=keys.index(item.pk) + (1 if to == "down" else -1))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def remove_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Remove an item from the definition of done."""
    remove_item(actor=current_member(request), item=_find_item(mission, dod_item))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="evidence", back="ws-checklist", creates=True)
def add_evidence_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Add evidence to an item."""
    item = _find_item(mission, dod_item)
    add_evidence(actor=current_member(request), item=item, **valid_values(EvidenceForm(request.POST, request.FILES)))
    return WorkspaceUrl.of(request, mission).to(edit=None)


@action(COMMENT, part="comments", back="ws-checklist", creates=True)
def add_comment_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Add a comment to an item."""
    item = _find_item(mission, dod_item)
    add_item_comment(actor=current_member(request), item=item, **valid_values(CommentForm(request.POST)))
    return WorkspaceUrl.of(request, mission).to(comments=item.pk)


@require_safe
def evidence_file_view(request: HttpRequest, object_id: str, evidence: str) -> HttpResponse:
    """A file that is evidence, as a download."""
    mission = find_mission(request, object_id)
    found = Evidence.objects.select_related("file").filter(item__mission=mission, file__isnull=False)
    each = found.filter(pk=key_of(evidence)).first()
    if each is None:
        raise Http404(gettext("This file does not exist."))
    response = HttpResponse(bytes(each.file.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=each.value)
    return response


@action(CHANGE, part="checklist", back="ws-checklist")
def remove_evidence_view(request: HttpRequest, mission: DeckMission, evidence: str) -> WorkspaceUrl:
    """Remove evidence from an item."""
    remove_evidence(actor=current_member(request), evidence=find_evidence(mission, evidence))
    return WorkspaceUrl.of(request, mission)


@action(VIEW, part="checklist", back="ws-checklist")
def sign_view(request: HttpRequest, mission: DeckMission, evidence: str) -> WorkspaceUrl:
    """Sign a sign-off (signed=1), or withdraw the signature (signed=0), as a member with its role."""
    found, signed = find_evidence(mission, evidence), valid_values(SignatureForm(request.POST))["signed"]
    if found.value not in roles_of(current_member(request)):
        raise PermissionDenied
    sign_off(actor=current_member(request), evidence=found, signed=signed)
    return WorkspaceUrl.of(request, mission)


def _find_item(mission: DeckMission, key: str) -> DodItem:
    """An item of a mission. Raises InvalidForm if it was removed, so that the checklist shows the error."""
    found = DodItem.objects.filter(mission=mission, pk=key_of(key)).first()
    if found is None:
        raise item_removed()
    return found
