"""The page of a workspace, and what its actions share: each shows its error on the page, with the submitted values."""

from __future__ import annotations

from functools import wraps

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from missiondeck.admin.base import current_member
from missiondeck.admin.workspace_changes import format_run
from missiondeck.admin.workspace_chat import chat, citizens
from missiondeck.admin.workspace_checklist import checklist, item_comments
from missiondeck.admin.workspace_forms import LANGUAGES
from missiondeck.admin.workspace_gate import gate
from missiondeck.admin.workspace_head import head, status_changes
from missiondeck.admin.workspace_runs import runs_of, tests_of
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of, parse_key
from missiondeck.errors import NotDone
from missiondeck.models import Citizen, DeckMission, DeckStatus, DodItem
from missiondeck.rules import TESTER
from missiondeck.selectors.gates import gate_and_missing
from missionsite.common.admin.actions import InvalidForm, post_action
from missionsite.common.admin.form_keys import FormResult, result_response
from missionsite.common.errors import DomainError

VIEW, CHANGE, MOVE, OVERRIDE, CHAT, COMMENT, RUN = (
    f"missiondeck.{name}"
    for name in (
        "view_deckmission",
        "change_deckmission",
        "change_deckmission_status",
        "override_deckmission",
        "add_chatmessage",
        "add_dodcomment",
        "add_testrun",
    )
)
RIGHTS = {"change": CHANGE, "move": MOVE, "override": OVERRIDE, "chat": CHAT, "comment": COMMENT, "run": RUN}
# The fields whose values are shown again after an error.
_SUBMITTED = (
    "to",
    "reason",
    "override",
    "text",
    "category",
    "sender",
    "author_name",
    "message",
    "language",
    "code",
    "kind",
    "value",
    "name",
    "commit",
    "branch",
    "build_url",
    "job",
    "environment",
    "attempt",
    "shard",
    "shards",
    "required_suites",
    "min_tests",
    "max_failures",
    "max_age_days",
)
# Parts of the gate, which only the tab of the tests shows.
_GATE_PARTS = ("gate", "baseline", "vanished")


@require_safe
def workspace_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """The whole page; with the header `X-Fragment: checklist` only the parts that a tick changes."""
    return render_page(request, find_mission(request, object_id))


def render_page(request: HttpRequest, mission: DeckMission, *, rejection: dict | None = None) -> HttpResponse:
    """Render the page. rejection: the error to show, from `_rejected`."""
    url, at = WorkspaceUrl.of(request, mission), timezone.now()
    if rejection and rejection["part"] in ("edit", "evidence"):
        url = url.to(edit=rejection["item"])
    if rejection and rejection["part"] == "comments":
        url = url.to(comments=rejection["item"])
    if rejection and rejection["part"] in _GATE_PARTS:
        url = url.to(citizen=TESTER)
    latest = runs_of(mission).first()
    state, missing = gate_and_missing(mission)
    if mission.status == DeckStatus.COMPLETE:
        missing = []
    history = status_changes(mission)
    dod = checklist(mission, url, current_member(request), may_change=request.user.has_perm(CHANGE))
    dod["comments"] = item_comments(request, mission, url)
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
        "tests_url": WorkspaceUrl(mission.pk, citizen=TESTER).href,
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
    every = list(Citizen.objects.all())
    tabs, citizen = citizens(mission, url, every)
    context |= {
        **admin.site.each_context(request),
        "opts": DeckMission._meta,
        "original": mission,
        "matrix": dod["matrix"],
        "tabs": tabs,
        "citizen": citizen,
        "chat": chat(request, mission, citizen.key, url, {each.key: each.name for each in every}),
        "add_message_url": url.to(citizen=citizen.key, before=None).action("add_message"),
        "languages": LANGUAGES,
        "transcripts": _transcripts(mission, citizen.key),
        "buttons": [
            {
                "title": gettext("Client"),
                "icon": "handshake",
                "link": reverse("admin:missiondeck_workspace_clients", args=[mission.pk]),
            },
            {
                "title": gettext("Budget"),
                "icon": "payments",
                "link": reverse("admin:missiondeck_workspace_budget", args=[mission.pk]),
            },
            {
                "title": gettext("Webhooks"),
                "icon": "webhook",
                "link": reverse("admin:missiondeck_workspace_webhooks", args=[mission.pk]),
            },
            {
                "title": gettext("Details"),
                "icon": "edit_note",
                "link": reverse("admin:missiondeck_deckmission_change", args=[mission.pk]),
            },
        ],
    }
    if citizen.key == TESTER:
        url = url.to(citizen=TESTER)
        context |= {
            "url": url,
            "tests": tests_of(mission, url, latest),
            "gate": gate(state, url),
            "import_url": WorkspaceUrl(mission.pk, citizen=TESTER).action("import"),
            "start_url": WorkspaceUrl(mission.pk, citizen=TESTER).action("start"),
            "report_values": _values_of(rejection, "report"),
            "start_values": _values_of(rejection, "start"),
        }
    return TemplateResponse(request, "missiondeck/workspace.html", context)


def _values_of(rejection: dict | None, part: str) -> dict:
    """The submitted values of a form that was rejected."""
    return rejection["submitted"] if rejection and rejection["part"] == part else {}


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
                raise item_removed() from None
            return FormResult(f"{url.href}#{back}")

        def done(request: HttpRequest, result: FormResult, *, mission: DeckMission, **parts) -> HttpResponse:
            if request.headers.get("X-Fragment"):
                return render_page(request, find_mission(request, str(mission.pk)))
            return result_response(request, result)

        def failed(request: HttpRequest, error: DomainError, *, mission: DeckMission, **parts) -> HttpResponse:
            rejection = _rejected(part, request, error, parts)
            return render_page(request, find_mission(request, str(mission.pk)), rejection=rejection)

        change = post_action(done=done, failed=failed, once=creates)(save)

        @wraps(view)
        def run(request: HttpRequest, object_id: str, **parts) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return change(request, mission=find_mission(request, object_id), **parts)

        return require_POST(run)

    return wrap


def find_mission(request: HttpRequest, key: str) -> DeckMission:
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    found = DeckMission.objects.select_related("assignee", "completed_by").filter(pk=key_of(key)).first()
    if found is None:
        raise Http404(gettext("This client mission does not exist."))
    return found


def item_removed() -> InvalidForm:
    return InvalidForm(gettext("This item was removed by another user."), field="dod_item")


def _rejected(part: str, request: HttpRequest, rejection: DomainError, parts: dict) -> dict:
    """The error for the page: the part where it is shown, the message, and the submitted values."""
    if part in ("edit", "comments") and rejection.field == "dod_item":
        part = "checklist"
    return {
        "part": part,
        "message": rejection.message,
        "is_not_done": isinstance(rejection, NotDone),
        "item": parse_key(parts.get("dod_item")),
        "chosen": request.POST.getlist("tests"),
        "submitted": {name: request.POST.get(name, "").replace("\x00", "\ufffd") for name in _SUBMITTED},
    }
