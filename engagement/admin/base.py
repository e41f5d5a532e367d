"""Shared parts of this app's admin pages."""

from datetime import datetime

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from engagement.models import EngagementMessage, EngagementStateTransition
from engagement.rules import MESSAGE_ONLY, State, Status
from groups.admin.base import HistoryAdmin
from groups.admin.memberships import MEMBERS
from groups.models import Member
from missionsite.common.admin import ActionForm, Found, Search
from missionsite.common.admin.formats import format_number
from missionsite.common.admin.search import FOUND_AT_MOST
from missionsite.common.admin.tabs import join_parts
from missionsite.common.audit.history import Change, LaterChange, NothingToRevert, changes_of

MOVE = "engagement.move_userengagementstate"
HANDLE = "engagement.handle_engagementmessage"
ANNOUNCE = "engagement.add_announcement"
WITHDRAW = "engagement.change_announcement"
ASSIGN = "engagement.change_unassignedmessage"
CHANGE_ADDRESS = "engagement.change_bouncedaddress"
CHANGE_TEMPLATE = "engagement.change_messagetemplate"
CHANGE_PROFILE = "engagement.change_userprofile"
VIEW_STATES = "engagement.view_userengagementstate"

# Badge variants of states.
STATE: dict[str, str] = {
    State.ACTIVE: "success",
    State.GOODBYE_SENT: "warning",
    State.HELP_FLOW: "info",
    State.REMIND_LATER: "info",
    State.DORMANT: "default",
}
STATUS: dict[str, str] = {
    Status.PENDING: "info",
    Status.SENT: "success",
    Status.FAILED: "danger",
    Status.CANCELLED: "default",
}
RESPONSE_LABELS = {
    "confused": _("confused"),
    "busy": _("busy"),
    "all_good": _("all good"),
    "timeout": _("no answer in time"),
    MESSAGE_ONLY: _("a message only"),
}


class MemberSearch(Search):
    """Searches rows by the stable ID, e-mail or name of their member."""

    def __init__(self) -> None:
        super().__init__("user__member_id", "P")

    def find(self, queryset: QuerySet, term: str) -> Found:
        """Find the members first, then their rows by the index on the member."""
        people = MEMBERS.find(Member.objects.all(), term)
        if not people.ids:
            return Found([])
        rows = queryset.order_by().select_related(None).filter(user__in=people.ids)
        ids = list(rows.values_list("pk", flat=True)[: FOUND_AT_MOST + 1])
        return Found(ids[:FOUND_AT_MOST], people.more or len(ids) > FOUND_AT_MOST)


class UntilForm(ActionForm):
    until = forms.SplitDateTimeField(label=_("Until"), widget=UnfoldAdminSplitDateTimeWidget)

    def clean_until(self) -> datetime:
        until = self.cleaned_data["until"]
        if until.year > 9000:
            raise forms.ValidationError(_("Choose an earlier date."))
        return until


class ServiceHistory(HistoryAdmin):
    """Reverts a change by an edit through the service, with its rules and its event.

    revertible: the fields that the service can change.
    """

    revertible: frozenset[str] = frozenset()

    def may_revert(self, request: HttpRequest, obj: Model, changed: set[str]) -> bool:
        return changed <= self.revertible and super().may_revert(request, obj, changed)

    def revert(self, request: HttpRequest, obj: Model, change: Change) -> None:
        raw = next((entry for entry in changes_of(obj) if entry.pgh_id == change.pgh_id), None)
        if raw is None or not raw.fields:
            raise NothingToRevert
        overtaken = [field.label for field in raw.fields if getattr(obj, field.name) != field.after]
        if overtaken:
            raise LaterChange(
                _("A later edit changed {fields}. Revert that edit first.").format(fields=", ".join(overtaken))
            )
        self.update(request, obj, {field.name: field.before for field in raw.fields})


def format_details(transition: EngagementStateTransition) -> str:
    """Return the metadata of a transition as text."""
    remaining, parts = dict(transition.metadata), []
    days = remaining.pop("days_inactive", None)
    if isinstance(days, int):
        parts.append(
            ngettext("inactive for {count} day", "inactive for {count} days", days).format(count=format_number(days))
        )
    if answer := remaining.pop("response_type", None):
        parts.append(_("answered: {answer}").format(answer=RESPONSE_LABELS.get(answer, answer)))
    if by := remaining.pop("by", None):
        parts.append(_("by {member}").format(member=by))
    if remaining.pop("unprompted_return", None):
        parts.append(str(_("returned unprompted")))
    parts += [f"{str(key).replace('_', ' ')}: {value}" for key, value in sorted(remaining.items())]
    return join_parts(parts)


def shown_error(message: EngagementMessage) -> str:
    """The error of a message. Errors of the site are stored in English and shown in the language of the page."""
    return gettext(message.error_message) if message.error_message else ""
