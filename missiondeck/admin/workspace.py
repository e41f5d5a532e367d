"""The workspace of a client mission: its URLs, and the actions on its status and chats."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext_lazy as _

from missiondeck.admin import workspace_item_views as item_views
from missiondeck.admin import workspace_run_views as run_views
from missiondeck.admin.base import current_member
from missiondeck.admin.workspace_budget import budget_view
from missiondeck.admin.workspace_clients import clients_view, report_view
from missiondeck.admin.workspace_forms import MessageForm, StatusForm
from missiondeck.admin.workspace_page import CHAT, MOVE, OVERRIDE, action, workspace_view
from missiondeck.admin.workspace_test import test_urls
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.admin.workspace_webhooks import webhooks_view
from missiondeck.models import DeckMission, DeckStatus
from missiondeck.services.chats import add_message
from missiondeck.services.missions import change_status
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import valid_values
from missionsite.common.annotations import StrOrPromise


def workspace_urls(model_admin: ModelAdmin) -> list:
    """The URL patterns of the workspace, below `<id>/workspace/`; names start with `missiondeck_workspace`."""
    views = (
        ("", "", workspace_view),
        ("status/", "_status", status_view),
        ("chat/", "_add_message", add_message_view),
        ("runs/", "_import", run_views.import_view),
        ("runs/start/", "_start", run_views.start_view),
        ("runs/<str:run>/finish/", "_finish", run_views.finish_view),
        ("runs/<str:run>/give-up/", "_give_up", run_views.give_up_view),
        ("gate/", "_gate", run_views.gate_view),
        ("gate/baseline/", "_baseline", run_views.baseline_view),
        ("gate/vanished/", "_vanished", run_views.vanished_view),
        ("items/", "_add", item_views.add_view),
        ("items/template/", "_template", item_views.template_view),
        ("items/<str:dod_item>/tick/", "_tick", item_views.tick_view),
        ("items/<str:dod_item>/edit/", "_edit", item_views.edit_view),
        ("items/<str:dod_item>/position/", "_position", item_views.position_view),
        ("items/<str:dod_item>/remove/", "_remove", item_views.remove_view),
        ("items/<str:dod_item>/comments/", "_add_comment", item_views.add_comment_view),
        ("items/<str:dod_item>/evidence/", "_add_evidence", item_views.add_evidence_view),
        ("evidence/<str:evidence>/file/", "_evidence_file", item_views.evidence_file_view),
        ("evidence/<str:evidence>/remove/", "_remove_evidence", item_views.remove_evidence_view),
        ("evidence/<str:evidence>/sign/", "_sign", item_views.sign_view),
    )
    own = {"model_admin": model_admin}
    of_clients = (
        ("clients/", "_clients", clients_view),
        ("report/", "_report", report_view),
        ("webhooks/", "_webhooks", webhooks_view),
        ("budget/", "_budget", budget_view),
    )
    every = [(*each, {}) for each in views] + [(*each, own) for each in (*test_urls(), *of_clients)]
    return [
        path(
            f"<path:object_id>/workspace/{end}",
            model_admin.admin_site.admin_view(view),
            options,
            name=f"missiondeck_workspace{name}",
        )
        for end, name, view, options in every
    ]


@action(MOVE, part="status", back="ws-head")
def status_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Change the status one step forward, or back with a reason. An override needs its own permission."""
    values = valid_values(StatusForm(request.POST))
    if values["override"] and not request.user.has_perm(OVERRIDE):
        raise PermissionDenied
    moved = change_status(
        actor=current_member(request),
        mission=mission,
        to=values["to"],
        reason=values["reason"],
        override=values["override"],
    )
    messages.success(request, _MOVED[moved.status] % {"mission": moved})
    return WorkspaceUrl.of(request, mission)


_MOVED: dict[str, StrOrPromise] = {
    DeckStatus.ACTIVE: _("%(mission)s is active."),
    DeckStatus.QA: _("%(mission)s is in QA."),
    DeckStatus.COMPLETE: _("%(mission)s is complete."),
}


@action(CHAT, part="chat", back="ws-chat-end", creates=True)
def add_message_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Add a message to the chat with a citizen."""
    form = MessageForm(request.POST)
    values = valid_values(form)
    add_message(
        actor=current_member(request),
        mission=mission,
        citizen=values["citizen"],
        sender=values["sender"],
        message=values["message"],
        author_name=values["author_name"],
        code_blocks=form.code_blocks(),
    )
    return WorkspaceUrl.of(request, mission).to(citizen=values["citizen"], before=None)
