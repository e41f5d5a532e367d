"""The audit of all apps in the back office, for administrators and auditors: filters, search, details and export."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from missionsite.common.admin.filters import ExactTextFilter, PeriodFilter
from missionsite.common.admin.formats import EMPTY, badge, definition_list, format_datetime, format_payload, link_to
from missionsite.common.admin.options import ReadOnlyModelAdmin
from missionsite.common.admin.search import FOUND_AT_MOST, Found, Search
from missionsite.common.audit.events import actions_by_app, event_label, event_labels, event_summary
from missionsite.common.audit.trail import field_changes, kind_label, names_of, objects_of
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download, prompt_for_export
from missionsite.common.models import AuditActor, AuditBlock, AuditEntry, AuditOutcome

VIEW = "common.view_auditentry"
OUTCOMES = {"done": "success", "failed": "warning", "denied": "danger"}
# Changes that a row of the list shows; its page shows all.
SHOWN_CHANGES = 3
COLUMNS = (
    "id", "occurred_at", "app", "action", "outcome", "actor", "actor_token", "object_type", "object_id", "address",
    "url", "job", "request", "details",
)  # fmt: skip


def members_matching(text: str) -> QuerySet:
    """The member with this e-mail or ID."""
    return get_user_model()._default_manager.filter(Q(email__iexact=text) | Q(member_id=text.upper()))


class AppFilter(DropdownFilter):
    title = _("app")
    parameter_name = "app"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        labels = ("common", "missionsite", "groups", "engagement", "fallback", "missiondeck")
        names = {label: str(apps.get_app_config(label).verbose_name) for label in labels}
        # Two apps of the site have one name in the navigation.
        names["common"] = gettext("Access and audit")
        names["missionsite"] = gettext("Roles")
        return list(names.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(app=self.value()) if self.value() else queryset


class ActionFilter(DropdownFilter):
    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        types = {each for actions in actions_by_app().values() for each in actions}
        return sorted(((name, event_label(name)) for name in types), key=lambda item: item[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(action=self.value()) if self.value() else queryset


class ActorFilter(ExactTextFilter):
    title = _("by (e-mail or ID)")
    parameter_name = "by"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not (text := (self.value() or "").replace("\x00", "").strip()):
            return queryset
        # Two statements, so that the second one uses the index of the pseudonym.
        tokens = list(AuditActor.objects.filter(member__in=members_matching(text)).values_list("pk", flat=True))
        return queryset.filter(actor__in=tokens)


class ObjectFilter(ExactTextFilter):
    title = _("object (stable ID or key)")
    parameter_name = "object"
    column = "object_id"


class OutcomeFilter(DropdownFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in AuditOutcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class AuditSearch(Search):
    """Finds entries by the ID of their object, the e-mail or ID of who acted, and the name of the action."""

    def find(self, queryset: QuerySet, term: str) -> Found:
        term = term.strip()[:255]
        text = self.exact(term) or term
        tokens = list(AuditActor.objects.filter(member__in=members_matching(text)).values_list("pk", flat=True)[:2])
        actions = [type_ for type_, label in event_labels().items() if term.lower() in label.lower() or term == type_]
        rows = queryset.order_by("-occurred_at", "-pk").select_related(None).values("pk")
        branches = (
            [rows.filter(object_id=text), rows.filter(actor__in=tokens)] if tokens else [rows.filter(object_id=text)]
        )
        branches += [rows.filter(action=action) for action in actions[:20]]
        found: dict[int, None] = {}
        for branch in branches:
            found |= dict.fromkeys(branch.values_list("pk", flat=True)[: FOUND_AT_MOST + 1])
        ids = sorted(found, reverse=True)
        return Found(ids[:FOUND_AT_MOST], len(ids) > FOUND_AT_MOST)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyModelAdmin):
    """The audit, newest first; read-only. Its own export has the values before and after, too."""

    exports = False
    list_display = ("when", "actor_name", "what", "object_name", "changes", "where", "result")
    list_display_links = ("what",)
    list_select_related = ("actor__member", "details")
    list_filter = (
        AppFilter,
        ActionFilter,
        OutcomeFilter,
        ("occurred_at", PeriodFilter),
        ActorFilter,
        ObjectFilter,
    )
    search = AuditSearch("pk", "")
    search_help_text = _("ID of the object, e-mail or ID of who acted, or action")
    noun_plural = _("entries")
    sortable_by = ("when",)
    fields = (
        "what",
        "when",
        "actor_name",
        "object_name",
        "app_name",
        "result",
        "origin",
        "before_after",
        "payload",
        "same_request",
        "seal",
    )
    readonly_fields = fields
    empty_text = (_("No entries yet"), _("Every action in the back office, API and jobs is recorded here."))

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        query = request.GET.urlencode()
        link = reverse("admin:common_auditentry_export")
        return [{"title": gettext("Export these"), "icon": "download", "link": f"{link}?{query}" if query else link}]

    def get_urls(self) -> list:
        return [
            path("export/", self.admin_site.admin_view(self.export), name="common_auditentry_export"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the objects of the entries of its page: one query for each kind of object."""
        shown = super().get_changelist_instance(request)
        _attach_objects(shown.result_list)
        return shown

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Return the entries of the list with its filters, as CSV."""
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        back = reverse("admin:common_auditentry_changelist")
        if prompt := prompt_for_export(request, back):
            return prompt
        try:
            shown = super().get_changelist_instance(request)
            found = shown.get_queryset(request).order_by("-occurred_at", "-pk")
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")

        def lines() -> Iterator[str]:
            yield "\ufeff" + _line(COLUMNS)
            for entry in found.iterator(chunk_size=2_000):
                yield _line(_export_row(entry))

        name = f"audit-{timezone.localdate().isoformat()}.csv"
        return download(lines, name=name, content_type="text/csv; charset=utf-8")

    @display(description=_("When"), ordering="occurred_at")
    def when(self, entry: AuditEntry) -> str:
        return format_datetime(entry.occurred_at)

    @display(description=_("What"))
    def what(self, entry: AuditEntry) -> str:
        return event_label(entry.action)

    @display(description=_("By"))
    def actor_name(self, entry: AuditEntry) -> str:
        if entry.actor is None:
            job = _origin(entry).get("job")
            return gettext("Job {name}").format(name=job) if job else EMPTY
        return link_to(entry.actor.member) if entry.actor.member else gettext("Erased member")

    @display(description=_("Object"))
    def object_name(self, entry: AuditEntry) -> str:
        if not entry.object_id:
            return EMPTY
        kind, found = kind_label(entry.object_type), _attached(entry).found
        shown: str = entry.object_id
        if found:
            has_page = self.admin_site.is_registered(getattr(found, "admin_model", type(found)))
            shown = link_to(found) if has_page else str(found)
        return format_html('{} <span class="audit-kind">{}</span>', shown, kind)

    @display(description=_("App"))
    def app_name(self, entry: AuditEntry) -> str:
        return str(apps.get_app_config(entry.app).verbose_name)

    @display(description=_("Changes"))
    def changes(self, entry: AuditEntry) -> str:
        if _content(entry) is None:
            return gettext("Erased")
        found = field_changes(entry, _attached(entry).names) if "changed" in (_content(entry) or {}) else []
        if not found:
            return event_summary((_content(entry) or {}).get("payload") or {}) or EMPTY
        if entry.action in ("row.added", "row.deleted"):
            return ngettext("{number} field", "{number} fields", len(found)).format(number=len(found))
        texts = [f"{each.label}: {_short(each.before)} → {_short(each.after)}" for each in found[:SHOWN_CHANGES]]
        more = len(found) - SHOWN_CHANGES
        return " · ".join([*texts, *([gettext("{more} more").format(more=more)] if more > 0 else [])])

    @display(description=_("From where"))
    def where(self, entry: AuditEntry) -> str:
        origin = _origin(entry)
        return str(origin.get("address") or origin.get("job") or EMPTY)

    @display(description=_("Outcome"))
    def result(self, entry: AuditEntry) -> str:
        return badge(entry.get_outcome_display(), OUTCOMES[entry.outcome])

    # --- One entry ----------------------------------------------------------------------------

    @display(description=_("From where"))
    def origin(self, entry: AuditEntry) -> str:
        labels = {
            "address": _("Address"),
            "browser": _("Browser"),
            "url": _("Page"),
            "job": _("Job"),
            "request": _("Request"),
        }
        found = _origin(entry)
        if not found:
            return gettext("Erased") if _erased(entry) else EMPTY
        return definition_list((labels[name], str(found[name])) for name in labels if found.get(name))

    @display(description=_("Before and after"))
    def before_after(self, entry: AuditEntry) -> str:
        heads = (gettext("Field"), gettext("Before"), gettext("After"))
        found = field_changes(entry, _attached(entry).names)
        if not found:
            return gettext("Erased") if _content(entry) is None else EMPTY
        rows = format_html_join(
            "",
            '<tr><td data-label="{}">{}</td><td data-label="{}">{}</td><td data-label="{}">{}</td></tr>',
            ((heads[0], each.label, heads[1], str(each.before), heads[2], str(each.after)) for each in found),
        )
        return format_html(
            '<div class="rows"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
            format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
            rows,
        )

    @display(description=_("Details"))
    def payload(self, entry: AuditEntry) -> str:
        content = _content(entry)
        if content is None:
            return gettext("Erased")
        return format_payload(
            {name: value for name, value in (content.get("payload") or {}).items() if name != "changed"}
        )

    @display(description=_("In the same request or job"))
    def same_request(self, entry: AuditEntry) -> str:
        if entry.changeset_id is None:
            return EMPTY
        others = AuditEntry.objects.filter(changeset_id=entry.changeset_id).exclude(pk=entry.pk).order_by("pk")[:20]
        return format_html_join("", "{}<br>", ((link_to(each),) for each in others)) or EMPTY

    @display(description=_("Seal"))
    def seal(self, entry: AuditEntry) -> str:
        block = AuditBlock.objects.filter(newest_at__gte=entry.occurred_at, ids__contains=[entry.pk]).first()
        if block is None:
            return gettext("Not sealed yet; a job does this every minute.")
        return gettext("Block {number}, SHA-256 {digest}").format(number=block.number, digest=bytes(entry.leaf).hex())


def _attach_objects(entries: Any) -> None:
    found, names = objects_of(entries), names_of(entries)
    for entry in entries:
        entry.names = names
        entry.found = found.get((entry.object_type, entry.object_id))


def _attached(entry: AuditEntry) -> Any:
    """The entry with its object and the names of what it refers to; the list reads these for all entries at once."""
    if not hasattr(entry, "names"):
        _attach_objects([entry])
    return entry


def _origin(entry: AuditEntry) -> dict[str, Any]:
    return (entry.details.origin if hasattr(entry, "details") else None) or {}


def _content(entry: AuditEntry) -> dict[str, Any] | None:
    return entry.details.content if hasattr(entry, "details") else None


def _erased(entry: AuditEntry) -> bool:
    return hasattr(entry, "details") and entry.details.origin is None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _export_row(entry: AuditEntry) -> tuple:
    origin, content = _origin(entry), _content(entry)
    member = entry.actor.member if entry.actor else None
    return (
        entry.pk, entry.occurred_at.isoformat(), entry.app, entry.action, entry.outcome,
        getattr(member, "member_id", ""), entry.actor_id or "", entry.object_type, entry.object_id,
        *(origin.get(name, "") for name in ("address", "url", "job", "request")),
        "erased" if content is None else json.dumps(content, ensure_ascii=False),
    )  # fmt: skip


def _line(values: tuple) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([safe_cell(value) for value in values])
    return text.getvalue()
