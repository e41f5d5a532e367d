"""The workspace of a client mission: status, definition of done, chats and test runs."""

from __future__ import annotations

from functools import wraps

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from missiondeck.admin.base import current_member
from missiondeck.admin.workspace_changes import format_run
from missiondeck.admin.workspace_chat import chat, citizens
from missiondeck.admin.workspace_checklist import checklist
from missiondeck.admin.workspace_clients import clients_view, report_view
from missiondeck.admin.workspace_evidence import EvidenceForm, SignatureForm, find_evidence, roles_of
from missiondeck.admin.workspace_forms import LANGUAGES, ItemForm, MessageForm, ReportForm, StatusForm
from missiondeck.admin.workspace_gate import GateRulesForm, ReasonForm, gate
from missiondeck.admin.workspace_head import head, status_changes
from missiondeck.admin.workspace_runs import runs_of, tests_of
from missiondeck.admin.workspace_test import test_urls
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of, parse_key
from missiondeck.errors import NotDone
from missiondeck.models import Citizen, DeckMission, DeckStatus, DodItem
from missiondeck.selectors.missions import missing_of
from missiondeck.services.chats import add_message
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missiondeck.services.evidence import add_evidence, remove_evidence, sign_off
from missiondeck.services.gates import confirm_baseline, confirm_vanished_tests, set_gate_rules
from missiondeck.services.missions import change_status
from missiondeck.services.runs import give_up_run, import_report
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import InvalidForm, post_action, valid_values
from missionsite.common.admin.form_keys import FormResult, result_response
from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError

VIEW, CHANGE, MOVE, OVERRIDE, CHAT, RUN = (
    f"missiondeck.{name}"
    for name in (
        "view_deckmission",
        "change_deckmission",
        "change_deckmission_status",
        "override_deckmission",
        "add_chatmessage",
        "add_testrun",
    )
)
RIGHTS = {"change": CHANGE, "move": MOVE, "override": OVERRIDE, "chat": CHAT, "run": RUN}
# The citizen whose tab shows the test runs.
TESTER = Citizen.SOFIA


def workspace_urls(model_admin: ModelAdmin) -> list:
    """The URL patterns of the workspace, below `<id>/workspace/`; names start with `missiondeck_workspace`."""
    views = (
        ("", "", workspace_view),
        ("status/", "_status", status_view),
        ("chat/", "_add_message", add_message_view),
        ("runs/", "_import", import_view),
        ("runs/<str:run>/give-up/", "_give_up", give_up_view),
        ("gate/", "_gate", gate_view),
        ("gate/baseline/", "_baseline", baseline_view),
        ("gate/vanished/", "_vanished", vanished_view),
        ("items/", "_add", add_view),
        ("items/<str:dod_item>/tick/", "_tick", tick_view),
        ("items/<str:dod_item>/edit/", "_edit", edit_view),
        ("items/<str:dod_item>/position/", "_position", position_view),
        ("items/<str:dod_item>/remove/", "_remove", remove_view),
        ("items/<str:dod_item>/evidence/", "_add_evidence", add_evidence_view),
        ("evidence/<str:evidence>/remove/", "_remove_evidence", remove_evidence_view),
        ("evidence/<str:evidence>/sign/", "_sign", sign_view),
    )
    own = {"model_admin": model_admin}
    of_clients = (("clients/", "_clients", clients_view), ("report/", "_report", report_view))
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


# --- The page -----------------------------------------------------------------------------------


@require_safe
def workspace_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """The whole page; with the header `X-Fragment: checklist` only the parts that a tick changes."""
    return _render_page(request, _mission(request, object_id))


def _render_page(request: HttpRequest, mission: DeckMission, *, rejection: dict | None = None) -> HttpResponse:
    """Render the page. rejection: the error to show, from `_rejected`."""
    url, at = WorkspaceUrl.of(request, mission), timezone.now()
    if rejection and rejection["part"] in ("edit", "evidence"):
        url = url.to(edit=rejection["item"])
    latest = runs_of(mission).first()
    missing = [] if mission.status == DeckStatus.COMPLETE else missing_of(mission)
    history = status_changes(mission)
    dod = checklist(mission, url, current_member(request), may_change=request.user.has_perm(CHANGE))
    context = {
        "title": str(mission),
        "subtitle": gettext("Workspace"),
        "mission": mission,
        "url": url,
        "rejection": rejection or {},
        "may": {name: request.user.has_perm(permission) for name, permission in RIGHTS.items()},
        "dod": dod,
        "head": head(request, mission, missing=missing, latest=latest, history=history, at=at),
        "history": history,
        "latest_run_text": format_run(latest) if latest else "",
        "tests_url": WorkspaceUrl(mission.pk, citizen=TESTER.value).href,
        "status_url": url.action("status"),
        # Offered only after a completion was rejected.
        "offers_override": bool(
            rejection
            and rejection["part"] == "status"
            and rejection["submitted"]["to"] == DeckStatus.COMPLETE
            and mission.status == DeckStatus.QA
            and request.user.has_perm(OVERRIDE)
        ),
        "zone": timezone.get_current_timezone_name(),
    }
    request.current_app = admin.site.name
    if request.headers.get("X-Fragment") == "checklist":
        return TemplateResponse(request, "missiondeck/_workspace_fragment.html", context)
    tabs, citizen = citizens(mission, url)
    context |= {
        **admin.site.each_context(request),
        "opts": DeckMission._meta,
        "original": mission,
        "matrix": dod["matrix"],
        "tabs": tabs,
        "citizen": Citizen(citizen),
        "chat": chat(mission, citizen, url),
        "add_message_url": url.to(citizen=citizen, before=None).action("add_message"),
        "languages": LANGUAGES,
        "transcripts": _transcripts(mission, citizen),
        "buttons": [
            {
                "title": gettext("Client"),
                "icon": "handshake",
                "link": reverse("admin:missiondeck_workspace_clients", args=[mission.pk]),
            },
            {
                "title": gettext("Details"),
                "icon": "edit_note",
                "link": reverse("admin:missiondeck_deckmission_change", args=[mission.pk]),
            },
        ],
    }
    if citizen == TESTER:
        url = url.to(citizen=citizen)
        context |= {
            "url": url,
            "tests": tests_of(mission, url, latest),
            "gate": gate(mission, url),
            "import_url": WorkspaceUrl(mission.pk, citizen=citizen).action("import"),
        }
    return TemplateResponse(request, "missiondeck/workspace.html", context)


def _transcripts(mission: DeckMission, citizen: str) -> list[dict]:
    """The download links of a chat."""
    return [
        {
            "name": name,
            "url": f"{reverse('admin:missiondeck_transcript', args=[mission.pk, form])}?citizen={citizen}",
        }
        for form, name in (("md", gettext("Markdown")), ("json", "JSON"))
    ]


# --- Actions ------------------------------------------------------------------------------------


def action(permission: str, *, part: str, back: str, creates: bool = False):
    """Decorate a view that changes the mission and returns the URL to go to; it needs a permission.

    back: the fragment added to the URL. An error is shown on the page at `part`, with the submitted values. creates:
    the form has a key and takes effect once.
    """

    def wrap(view):
        def save(request: HttpRequest, *, mission: DeckMission, **parts) -> FormResult:
            try:
                url = view(request, mission, **parts)
            except DodItem.DoesNotExist:
                # Another request removed it in the meantime.
                raise _item_removed() from None
            return FormResult(f"{url.href}#{back}")

        def done(request: HttpRequest, result: FormResult, *, mission: DeckMission, **parts) -> HttpResponse:
            if request.headers.get("X-Fragment"):
                return _render_page(request, _mission(request, str(mission.pk)))
            return result_response(request, result)

        def failed(request: HttpRequest, error: DomainError, *, mission: DeckMission, **parts) -> HttpResponse:
            rejection = _rejected(part, request, error, parts)
            return _render_page(request, _mission(request, str(mission.pk)), rejection=rejection)

        change = post_action(done=done, failed=failed, once=creates)(save)

        @wraps(view)
        def run(request: HttpRequest, object_id: str, **parts) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return change(request, mission=_mission(request, object_id), **parts)

        return require_POST(run)

    return wrap


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
        code_blocks=form.code_blocks(),
    )
    return WorkspaceUrl.of(request, mission).to(citizen=values["citizen"], before=None)


@action(RUN, part="report", back="ws-runs", creates=True)
def import_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Import a test report and its log file."""
    form = ReportForm(request.POST, request.FILES)
    values = valid_values(form)
    file, *more = values["report"]
    imported = import_report(
        actor=current_member(request),
        mission=mission,
        file=file,
        more=more,
        logs=values["logs"],
        ci=form.ci_run(),
    )
    if imported.is_new:
        messages.success(request, gettext("Report imported. %(run)s.") % {"run": format_run(imported.run)})
    else:
        messages.info(
            request,
            gettext("This file was already imported: %(run)s.") % {"run": format_run(imported.run)},
        )
    return WorkspaceUrl(mission.pk, citizen=TESTER.value, run=imported.run.pk)


@action(RUN, part="report", back="ws-runs")
def give_up_view(request: HttpRequest, mission: DeckMission, run: str) -> WorkspaceUrl:
    """Mark a run as failed because its report never arrived."""
    chosen = runs_of(mission).filter(pk=key_of(run)).first()
    if chosen is None:
        raise Http404(gettext("This test run does not exist."))
    give_up_run(actor=current_member(request), run=chosen)
    messages.success(
        request, gettext("The run was marked as failed. If a report arrives later, import it as a new run.")
    )
    return WorkspaceUrl(mission.pk, citizen=TESTER.value, run=chosen.pk)


@action(OVERRIDE, part="gate", back="ws-gate")
def gate_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Set the rules of the gate."""
    set_gate_rules(actor=current_member(request), mission=mission, **valid_values(GateRulesForm(request.POST)))
    messages.success(request, gettext("The rules of the gate were saved."))
    return WorkspaceUrl(mission.pk, citizen=TESTER.value)


@action(OVERRIDE, part="gate", back="ws-gate", creates=True)
def baseline_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Make the runs that decide now the baseline."""
    confirm_baseline(actor=current_member(request), mission=mission, **valid_values(ReasonForm(request.POST)))
    return WorkspaceUrl(mission.pk, citizen=TESTER.value)


@action(OVERRIDE, part="gate", back="ws-gate", creates=True)
def vanished_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Confirm that the chosen tests no longer run."""
    confirm_vanished_tests(
        actor=current_member(request),
        mission=mission,
        tests=request.POST.getlist("tests"),
        **valid_values(ReasonForm(request.POST)),
    )
    return WorkspaceUrl(mission.pk, citizen=TESTER.value)


@action(CHANGE, part="add", back="ws-checklist", creates=True)
def add_view(request: HttpRequest, mission: DeckMission) -> WorkspaceUrl:
    """Add an item to the definition of done."""
    add_item(actor=current_member(request), mission=mission, **valid_values(ItemForm(request.POST)))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def tick_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Mark an item as done (done=1) or open (done=0)."""
    if (done := request.POST.get("done")) not in ("0", "1"):
        raise InvalidForm(gettext("Choose whether the item is done."), field="done")
    tick_item(actor=current_member(request), item=_item(mission, dod_item), done=done == "1")
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="edit", back="ws-checklist")
def edit_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Change the text or the category of an item."""
    item = _item(mission, dod_item)
    update_item(actor=current_member(request), item=item, **valid_values(ItemForm(request.POST)))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def position_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Move an item up or down within its category."""
    item = _item(mission, dod_item)
    if (to := request.POST.get("to")) not in ("up", "down"):
        raise InvalidForm(gettext("Choose a direction: up or down."), field="to")
    keys = list(DodItem.objects.filter(mission=mission, category=item.category).values_list("pk", flat=True))
    if item.pk not in keys:
        raise _item_removed()
    move_item(actor=current_member(request), item=item, to=keys.index(item.pk) + (1 if to == "down" else -1))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="checklist", back="ws-checklist")
def remove_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Remove an item from the definition of done."""
    remove_item(actor=current_member(request), item=_item(mission, dod_item))
    return WorkspaceUrl.of(request, mission)


@action(CHANGE, part="evidence", back="ws-checklist", creates=True)
def add_evidence_view(request: HttpRequest, mission: DeckMission, dod_item: str) -> WorkspaceUrl:
    """Add evidence to an item."""
    item = _item(mission, dod_item)
    add_evidence(actor=current_member(request), item=item, **valid_values(EvidenceForm(request.POST)))
    return WorkspaceUrl.of(request, mission).to(edit=None)


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


# --- Helpers ------------------------------------------------------------------------------------


def _mission(request: HttpRequest, key: str) -> DeckMission:
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    found = DeckMission.objects.select_related("assignee", "completed_by").filter(pk=key_of(key)).first()
    if found is None:
        raise Http404(gettext("This client mission does not exist."))
    return found


def _item(mission: DeckMission, key: str) -> DodItem:
    """An item of a mission. Raises InvalidForm if it was removed, so that the checklist shows the error."""
    found = DodItem.objects.filter(mission=mission, pk=key_of(key)).first()
    if found is None:
        raise _item_removed()
    return found


def _item_removed() -> InvalidForm:
    return InvalidForm(gettext("This item was removed by another user."), field="dod_item")


def _rejected(part: str, request: HttpRequest, rejection: DomainError, parts: dict) -> dict:
    """The error for the page: the part where it is shown, the message, and the submitted values."""
    if part == "edit" and rejection.field == "dod_item":
        part = "checklist"
    return {
        "part": part,
        "message": rejection.message,
        "is_not_done": isinstance(rejection, NotDone),
        "item": parse_key(parts.get("dod_item")),
        "submitted": {
            name: request.POST.get(name, "").replace("\x00", "\ufffd")
            for name in (
                "to",
                "reason",
                "override",
                "text",
                "category",
                "sender",
                "message",
                "language",
                "code",
                "kind",
                "value",
            )
        },
    }
