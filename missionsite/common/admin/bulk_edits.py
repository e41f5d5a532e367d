"""The bulk edits with their progress and the log of their rows: one's own, or all for those who may view the audit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Field, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from missionsite.common.admin.actions import Action
from missionsite.common.admin.bulk_edit import admin_of, can_undo, run_edit
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to
from missionsite.common.admin.options import ReadOnlyModelAdmin
from missionsite.common.admin.tabs import CustomTab
from missionsite.common.bulk_edits import LOG_KEPT, MOST_AT_ONCE, cancel_bulk_edit, start_undo
from missionsite.common.models import BulkEdit, BulkEditStatus, RowOutcome

VIEW_ALL = "common.view_bulkedit"
PER_PAGE = 50
STATUS: dict[str, str] = {
    BulkEditStatus.QUEUED: "info",
    BulkEditStatus.RUNNING: "info",
    BulkEditStatus.DONE: "success",
    BulkEditStatus.FAILED: "danger",
    BulkEditStatus.CANCELLED: "default",
}
OUTCOME: dict[str, str] = {
    RowOutcome.WAITING: "default",
    RowOutcome.CHANGED: "success",
    RowOutcome.UNCHANGED: "default",
    RowOutcome.REJECTED: "danger",
}


class OwnAction(Action[BulkEdit]):
    """An action on one's own edit; an administrator acts on all."""

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def allowed_on(self, request: HttpRequest, obj: BulkEdit) -> bool:
        return obj.started_by_id == request.user.pk or request.user.is_superuser


def _undo(edit: BulkEdit, actor: Any, values: dict) -> BulkEdit:
    undo = start_undo(actor=actor, edit=edit)
    if undo.total <= MOST_AT_ONCE:
        run_edit(undo)
    return undo


def _open(model_admin: Any, request: HttpRequest, edit: BulkEdit) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:common_bulkedit_change", args=[edit.pk]))


def _log(edit: BulkEdit, request: HttpRequest) -> dict:
    """A page of the rows with one outcome; at first those that were rejected, if there are any."""
    counts = {
        RowOutcome.REJECTED: edit.rejected,
        RowOutcome.CHANGED: edit.changed,
        RowOutcome.UNCHANGED: edit.unchanged,
        RowOutcome.WAITING: edit.total - edit.handled,
    }
    given = request.GET.get("outcome", "")
    shown = RowOutcome(given) if given in RowOutcome.values else next((each for each, n in counts.items() if n), given)
    page = Paginator(edit.rows.filter(outcome=shown).order_by("id"), PER_PAGE).get_page(request.GET.get("p"))
    pages = admin_of(edit)
    names = pages.get_queryset(request).in_bulk([pages.opts.pk.to_python(row.object_key) for row in page])
    texts = {str(key): str(obj) for key, obj in names.items()}
    address = f"admin:{pages.opts.app_label}_{pages.opts.model_name}_change"
    may_view = pages.has_view_permission(request)
    return {
        "outcomes": [(each, format_number(n), each == shown) for each, n in counts.items() if n],
        "rows": [
            {
                "link": reverse(address, args=[row.object_key]) if may_view and row.object_key in texts else "",
                "name": texts.get(row.object_key) if may_view else "",
                "key": row.object_key,
                "message": row.message,
            }
            for row in page
        ],
        "page": page,
        "shown": shown,
        "days": LOG_KEPT.days,
    }


class LogTab(CustomTab[BulkEdit]):
    """The log of the rows; whoever may open the edit may open it."""

    def allowed(self, request: HttpRequest) -> bool:
        return True


@admin.register(BulkEdit)
class BulkEditAdmin(ReadOnlyModelAdmin[BulkEdit]):
    """Edits of many rows; read-only."""

    class Media:
        js = ("common/progress.js",)

    list_display = ("started", "what", "fields_shown", "state", "progress", "by", "ended")
    list_display_links = ("what",)
    list_select_related = ("started_by",)
    list_filter = (("status", ChoicesDropdownFilter),)
    sortable_by = ()
    fields = (("what", "state"), "fields_shown", "progress", "result", "undone", ("by", "started", "ended"))
    readonly_fields = ("what", "state", "fields_shown", "progress", "result", "undone", "by", "started", "ended")
    empty_text = (_("No bulk edits yet"), _("Select rows of a list, and choose “Edit fields” in its action menu."))
    tabs = (LogTab(name="log", title=_("Rows"), template="common/bulk_edit_log.html", context=_log, permission=""),)
    object_actions = (
        OwnAction(
            name="cancel",
            title=_("Cancel"),
            success_message=_("cancelled"),
            run=lambda edit, actor, values: cancel_bulk_edit(actor=actor, edit=edit),
            permission="",
            available=lambda edit: edit.is_active,
            help_text=_("Rows that were changed already stay changed. You can undo them afterwards."),
            icon="cancel",
            danger=True,
        ),
        OwnAction(
            name="undo",
            title=_("Undo"),
            success_message=_("undone"),
            run=_undo,
            permission="",
            available=can_undo,
            help_text=_(
                "Each changed row gets its former values back. A row that was changed again since is left as it is and"
                " named in the log."
            ),
            icon="undo",
            result_page=_open,
        ),
    )

    # --- Permissions ------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkEdit]:
        edits = super().get_queryset(request)
        return edits if request.user.has_perm(VIEW_ALL) else edits.filter(started_by=request.user)

    def shows_every_row(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_ALL)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: BulkEdit | None = None) -> bool:
        if not self.has_module_permission(request):
            return False
        return obj is None or obj.started_by_id == request.user.pk or request.user.has_perm(VIEW_ALL)

    # --- Columns ----------------------------------------------------------------------------------

    @display(description=_("List"))
    def what(self, edit: BulkEdit) -> str:
        name = capfirst(str(admin_of(edit).opts.verbose_name_plural))
        return gettext("Undo: {name}").format(name=name) if edit.undoes_id else name

    @display(description=_("Fields"))
    def fields_shown(self, edit: BulkEdit) -> str:
        meta = admin_of(edit).opts
        names = [meta.get_field(name) for name in edit.fields]
        return ", ".join(capfirst(str(field.verbose_name)) for field in names if isinstance(field, Field))

    @display(description=_("Status"))
    def state(self, edit: BulkEdit) -> str:
        text = gettext("Cancelling") if edit.cancel_requested and edit.is_active else edit.get_status_display()
        return badge(text, STATUS[edit.status])

    @display(description=_("Progress"))
    def progress(self, edit: BulkEdit) -> str:
        numbers = gettext("%(done)s of %(total)s") % {
            "done": format_number(edit.handled),
            "total": format_number(edit.total),
        }
        if not edit.is_active:
            return numbers
        return format_html(
            '<progress max="100" value="{}" aria-label="{}" data-refresh></progress> {}',
            edit.percent,
            gettext("Progress"),
            numbers,
        )

    @display(description=_("Result"))
    def result(self, edit: BulkEdit) -> str:
        return gettext("{changed} changed, {unchanged} unchanged, {rejected} rejected").format(
            changed=format_number(edit.changed),
            unchanged=format_number(edit.unchanged),
            rejected=format_number(edit.rejected),
        )

    @display(description=_("Undone by"))
    def undone(self, edit: BulkEdit) -> str:
        return link_to(edit.undone_by.first())

    @display(description=_("Started by"))
    def by(self, edit: BulkEdit) -> str:
        return link_to(edit.started_by)

    @display(description=_("Started"))
    def started(self, edit: BulkEdit) -> str:
        return format_datetime(edit.created_at)

    @display(description=_("Ended"))
    def ended(self, edit: BulkEdit) -> str:
        return format_datetime(edit.ended_at)
