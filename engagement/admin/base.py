"""What the pages of this app share."""

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from engagement.models import EngagementStateTransition, State, Status
from groups.admin.base import HistoryAdmin
from groups.admin.memberships import MEMBERS
from groups.errors import LaterChange, NothingToRevert
from groups.models import Member
from groups.services.history import changes_of
from missionsite.common.admin import ActionForm, Found, Search
from missionsite.common.admin.formats import format_number
from missionsite.common.admin.search import FOUND_AT_MOST

MOVE = "engagement.move_userengagementstate"
HANDLE = "engagement.handle_engagementmessage"
ANNOUNCE = "engagement.add_announcement"
WITHDRAW = "engagement.change_announcement"
CHANGE_PROFILE = "engagement.change_userprofile"
LOOK = "engagement.view_userengagementstate"

# Colours of states: unfold's label variants.
STATE = {
    State.ACTIVE: "success",
    State.GOODBYE_SENT: "warning",
    State.HELP_FLOW: "info",
    State.REMIND_LATER: "info",
    State.DORMANT: "default",
}
STATUS = {Status.PENDING: "info", Status.SENT: "success", Status.FAILED: "danger", Status.CANCELLED: "default"}
ANSWERED = {"confused": "confused", "busy": "busy", "all_good": "all good", "timeout": "nothing in time"}


class MemberSearch(Search):
    """Finds rows by the member they belong to: stable ID, e-mail or name."""

    def __init__(self) -> None:
        super().__init__("user__member_id", "P")

    def find(self, queryset: QuerySet, term: str) -> Found:
        """The people are found first; their rows come out of the index on the member."""
        people = MEMBERS.find(Member.objects.all(), term)
        if not people.ids:
            return Found([])
        rows = queryset.order_by().select_related(None).filter(user__in=people.ids)
        ids = list(rows.values_list("pk", flat=True)[: FOUND_AT_MOST + 1])
        return Found(ids[:FOUND_AT_MOST], people.more or len(ids) > FOUND_AT_MOST)


class UntilForm(ActionForm):
    until = forms.SplitDateTimeField(label="Until", widget=UnfoldAdminSplitDateTimeWidget)

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until.year > 9000:
            raise forms.ValidationError("Choose a nearer date.")
        return until


class ServiceHistory(HistoryAdmin):
    """Taking a change back is an edit through the same service, with its rules and its event.

    revertible: the fields the service changes.
    """

    revertible: frozenset[str] = frozenset()

    def may_revert(self, request: HttpRequest, obj: Model, changed: set[str]) -> bool:
        return changed <= self.revertible and super().may_revert(request, obj, changed)

    def revert(self, request: HttpRequest, obj: Model, change) -> None:
        raw = next((entry for entry in changes_of(obj) if entry.pgh_id == change.pgh_id), None)
        if raw is None or not raw.fields:
            raise NothingToRevert
        overtaken = [field.label for field in raw.fields if getattr(obj, field.name) != field.after]
        if overtaken:
            raise LaterChange(f"A later edit changed {', '.join(overtaken)}; it is not overwritten.")
        self.update(request, obj, {field.name: field.before for field in raw.fields})


def details_of(transition: EngagementStateTransition) -> str:
    """What is kept with a transition, in words."""
    told, said = dict(transition.metadata), []
    days = told.pop("days_inactive", None)
    if isinstance(days, int):
        said.append(f"quiet for {format_number(days)} day{'' if days == 1 else 's'}")
    if answer := told.pop("response_type", None):
        said.append(f"answered: {ANSWERED.get(answer, answer)}")
    if told.pop("unprompted_return", None):
        said.append("came back unprompted")
    said += [f"{str(key).replace('_', ' ')}: {value}" for key, value in sorted(told.items())]
    return " · ".join(said)


def any_of(labels) -> str:
    """Choices in words: "pending or failed"."""
    return " or ".join(str(each.label).lower() for each in labels)


def facts(lines) -> str:
    """Pairs of a name and its value, below each other."""
    return format_html('<dl class="details">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", lines))
