from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from groups.admin import directory_files, import_pages
from groups.admin.base import STATUS_COLOURS, HistoryAdmin, actor_of, current_member
from groups.admin.details import DetailsMixin, detail_actions, details_tab, values_action
from groups.admin.directory_actions import ACTIONS
from groups.admin.directory_pages import HEAT_MAP, INVITATIONS_OF_ENTRY, TREE
from groups.admin.health_filter import HealthFilter
from groups.admin.merge_tab import MERGE, merge_action, merges_tab
from groups.merge_errors import PerhapsDuplicate
from groups.models import CommunityMember, Event
from groups.rules import NO_TELEGRAM, REPUTATION_POINTS, STAFF_FIELDS, CustomFieldTarget, Tier
from groups.selectors.directory_search import DIRECTORY
from groups.selectors.lookalikes import find_lookalikes
from groups.selectors.people import accounts_of
from groups.services import directory
from groups.services.verification import OUTCOMES, verification_code
from missionsite.common import replica
from missionsite.common.admin import ServiceForm, Tab
from missionsite.common.admin.filters import NumberFilter
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to
from missionsite.common.audit.events import event_label, event_summary
from missionsite.common.search_words import NameSortKey

CHANGE = "groups.change_communitymember"
# The figures of a GitHub profile.
FIGURES = {
    "public_repos": _("repositories"),
    "followers": _("followers"),
    "total_stars": _("stars"),
    "contributions_last_year": _("contributions in a year"),
}


class PresenceFilter(DropdownFilter):
    """Filters by removal; without a value the list hides removed entries."""

    title = _("removed")
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return [("yes", gettext("Removed entries")), ("all", gettext("All entries"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "yes":
                return queryset.filter(deleted_at__isnull=False)
            case "all":
                return queryset
        return queryset


EVENTS_OF_ENTRY: Tab[CommunityMember, Event] = Tab(
    name="events",
    title=_("Events"),
    # Also those of the accounts that were merged into it.
    rows=lambda entry: (
        Event.objects.filter(member__in=accounts_of(entry)).select_related("actor", "group")
        if entry.person_id
        else Event.objects.none()
    ),
    columns=(
        (_("When"), lambda event, request: format_datetime(event.occurred_at)),
        (_("What"), lambda event, request: event_label(event.type)),
        (_("Details"), lambda event, request: event_summary(event.payload)),
        (_("By"), lambda event, request: actor_of(event)),
    ),
    permission="groups.view_event",
    empty=_("No events yet, or this entry has no account."),
)


class EntryForm(ServiceForm):
    add_anyway = forms.BooleanField(
        required=False,
        label=_("Add even if someone alike is in the directory"),
        widget=UnfoldBooleanSwitchWidget(),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            del self.fields["add_anyway"]
        if self.instance.telegram_id.startswith(NO_TELEGRAM) and "telegram_id" in self.fields:
            self.initial["telegram_id"] = ""
            self.fields["telegram_id"].required = False

    def clean_telegram_id(self) -> str:
        """Without an entered ID, a person without Telegram stays one."""
        entered = self.cleaned_data["telegram_id"]
        return entered or (self.instance.telegram_id if not self.instance._state.adding else entered)


@admin.register(CommunityMember)
class DirectoryAdmin(DetailsMixin, HistoryAdmin[CommunityMember]):
    """The community directory: members, pending registrations and invitations."""

    form = EntryForm
    exports = False
    search = DIRECTORY
    search_help_text = _("Name, number, organisation, Telegram or GitHub name")
    command_icon = "contacts"
    command_add = "name"
    list_display = (
        "name",
        "member_id",
        "status_shown",
        "primary_role",
        "organization",
        "reputation_and_tier",
        "verified",
        "last_active",
    )
    list_display_links = ("name",)
    optional_columns = ("telegram_username", "github_username", "phone", "country", "tags_shown", "created_at")
    details_permission = CHANGE
    details_target = CustomFieldTarget.MEMBER
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("primary_role", ChoicesDropdownFilter),
        ("reputation_tier", ChoicesDropdownFilter),
        ("github_verified", BooleanRadioFilter),
        ("reputation_score", NumberFilter),
        PresenceFilter,
        HealthFilter,
    )
    sortable_by = ("name", "reputation_and_tier")
    sort_expressions = {"name": NameSortKey("name")}
    tabs = (
        HEAT_MAP,
        INVITATIONS_OF_ENTRY,
        TREE,
        EVENTS_OF_ENTRY,
        details_tab("groups.view_communitymember", CHANGE, "communitymember"),
        merges_tab(),
    )
    empty_text = (_("No directory entries yet"), _("Invite people, import a file, or add an entry."))
    add_label = _("Add to the directory")
    noun_plural = _("people")
    _person = ("name", "primary_role", ("organization", "country"))
    _identity = ("telegram_id", "telegram_username", "phone", "github_username")
    _fee = ("registration_fee_paid", "registration_fee_tx_hash")
    add_fieldsets = (
        (None, {"fields": _person}),
        (_("User names and phone"), {"fields": _identity}),
        (_("Registration fee"), {"fields": _fee}),
        (None, {"fields": ("add_anyway",)}),
    )
    fieldsets = (
        (None, {"fields": (("member_id", "status_shown"), *_person, "tags_shown")}),
        (_("User names and phone"), {"fields": (*_identity, "github_state", "code")}),
        (_("Reputation"), {"fields": (("reputation", "tier_shown"), "github_numbers")}),
        (_("Membership"), {"fields": (("account", "inviter"), *_fee)}),
        (_("Dates"), {"fields": (("created_at", "updated_at"), ("last_active", "removed"))}),
    )
    readonly_fields = (
        "member_id",
        "status_shown",
        "github_state",
        "code",
        "github_numbers",
        "reputation",
        "tier_shown",
        "account",
        "inviter",
        "tags_shown",
        "created_at",
        "updated_at",
        "last_active",
        "removed",
    )
    object_actions = (*ACTIONS, merge_action(), *detail_actions(CHANGE), values_action(CHANGE))

    # --- Lists --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        # The page of a removed entry still opens, to restore it; lists, pickers and searches leave it out.
        if (match and "object_id" in match.kwargs) or request.GET.get("removed") in ("yes", "all"):
            return queryset
        return queryset.present()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; a search may use the replica."""
        if SEARCH_VAR not in request.GET:
            return super().get_changelist_instance(request)
        return replica.read(request, lambda: super(DirectoryAdmin, self).get_changelist_instance(request))

    def shows_every_row(self, request: HttpRequest) -> bool:
        return False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        buttons = []
        if request.user.has_perm("groups.add_communityinvitation"):
            buttons.append(_button(gettext("Invite"), "mail", "admin:groups_communityinvitation_add"))
        if request.user.has_perm(import_pages.IMPORT):
            buttons.append(_button(gettext("Import"), "upload", "admin:groups_communitymember_import"))
        if request.user.has_perm(MERGE):
            buttons.append(_button(gettext("Duplicates"), "group", "admin:groups_possibleduplicate_changelist"))
        if request.user.has_perm(directory_files.EXPORT):
            query = request.GET.urlencode()
            export = _button(gettext("Export these"), "download", "admin:groups_communitymember_export")
            buttons.append(export | {"link": f"{export['link']}?{query}" if query else export["link"]})
            workbook = f"{export['link']}?{query}&format=xlsx" if query else f"{export['link']}?format=xlsx"
            buttons.append(export | {"title": gettext("Export as XLSX"), "link": workbook})
        return buttons

    def get_urls(self) -> list:
        view = self._wrapped
        return [
            path(
                "import/",
                view(import_pages.import_view, import_pages.import_view),
                {"model_admin": self},
                name="groups_communitymember_import",
            ),
            path(
                "import/<uuid:changeset>/undo/",
                view(import_pages.undo_view, import_pages.undo_view),
                {"model_admin": self},
                name="groups_communitymember_undo_import",
            ),
            path(
                "export/",
                view(directory_files.export_view, directory_files.export_view),
                {"model_admin": self},
                name="groups_communitymember_export",
            ),
            *super().get_urls(),
        ]

    # --- Writing ------------------------------------------------------------------------------

    def has_object_permission(self, request: HttpRequest, obj: CommunityMember) -> bool:
        return obj.erased_at is None

    def has_change_permission(self, request: HttpRequest, obj: CommunityMember | None = None) -> bool:
        if isinstance(obj, CommunityMember) and obj.is_removed:
            return False
        return super().has_change_permission(request, obj)

    def may_revert(self, request: HttpRequest, obj: CommunityMember, changed: set[str]) -> bool:
        """Staff edits can be reverted, except the GitHub name: that would restore its verification."""
        return changed <= set(STAFF_FIELDS) - {"github_username"} and super().may_revert(request, obj, changed)

    def create(self, request: HttpRequest, values: dict) -> CommunityMember:
        fields = {name: value for name, value in values.items() if name != "add_anyway"}
        if not values["add_anyway"]:
            names = ("name", "telegram_username", "github_username")
            if alike := find_lookalikes(**{name: values[name] or "" for name in names}):
                raise PerhapsDuplicate(alike)
        return directory.create_entry(actor=current_member(request), **fields)

    def update(self, request: HttpRequest, obj: CommunityMember, changes: dict) -> None:
        directory.update_entry(entry=obj, actor=current_member(request), **changes)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None):
        return self.fieldsets if obj else self.add_fieldsets

    def extra_buttons(self, request: HttpRequest, obj: CommunityMember) -> list[dict]:
        if obj.person_id and request.user.has_perm("groups.view_member"):
            return [
                {
                    "title": gettext("Account"),
                    "icon": "person",
                    "link": reverse("admin:groups_member_change", args=[obj.person_id]),
                }
            ]
        return []

    # --- Showing ------------------------------------------------------------------------------

    def describe(self, obj: CommunityMember) -> str:
        return " · ".join([obj.name, str(obj.member_id), *([gettext("removed")] if obj.is_removed else [])])

    @display(description=_("Status"))
    def status_shown(self, entry: CommunityMember) -> str:
        return badge(entry.get_status_display(), STATUS_COLOURS[entry.status])

    @display(description=_("Tier"))
    def tier_shown(self, entry: CommunityMember) -> str:
        return str(Tier(entry.reputation_tier).label)

    @display(description=_("Reputation"))
    def reputation(self, entry: CommunityMember) -> str:
        return format_number(entry.reputation_score)

    @display(description=_("Verified"), boolean=True)
    def verified(self, entry: CommunityMember) -> bool:
        return entry.github_verified

    @display(description=_("Reputation"), ordering="reputation_score")
    def reputation_and_tier(self, entry: CommunityMember) -> str:
        return f"{format_number(entry.reputation_score)} · {Tier(entry.reputation_tier).label}"

    @display(description=_("Last active"))
    def last_active(self, entry: CommunityMember) -> str:
        return format_datetime(entry.last_active_at)

    @display(description=_("Account"))
    def account(self, entry: CommunityMember) -> str:
        return link_to(entry.person)

    @display(description=_("Invited by"))
    def inviter(self, entry: CommunityMember) -> str:
        return link_to(entry.invited_by)

    @display(description=_("Removed"))
    def removed(self, entry: CommunityMember) -> str:
        return format_datetime(entry.deleted_at)

    @display(description="GitHub")
    def github_state(self, entry: CommunityMember) -> str:
        if entry.github_verified:
            return gettext("Verified %(time)s") % {"time": format_datetime(entry.github_verified_at)}
        check = (entry.profile_data or {}).get("github_check")
        if check:
            text = OUTCOMES.get(check.get("outcome"), check.get("outcome", ""))
            return gettext("Not verified. Last check %(time)s UTC: %(result)s") % {
                "time": check.get("at", "")[:16].replace("T", " "),
                "result": text,
            }
        return gettext("Not verified. Never checked.") if entry.github_username else gettext("No GitHub name.")

    @display(description=_("Verification code"))
    def code(self, entry: CommunityMember) -> str:
        return gettext("%(code)s: the member adds this code to the bio of their GitHub profile.") % {
            "code": verification_code(member_id=entry.member_id)
        }

    @display(description=_("GitHub figures"))
    def github_numbers(self, entry: CommunityMember) -> str:
        data = entry.github_profile_data
        if not data:
            return gettext("No figures yet.")
        figures = [
            f"{format_number(data.get(name, 0))} {FIGURES[name]}" + (f" x {points}" if points > 1 else "")
            for name, points in REPUTATION_POINTS.items()
        ]
        return " + ".join(figures)


def _button(title: str, icon: str, view: str) -> dict:
    return {"title": title, "icon": icon, "link": reverse(view)}
