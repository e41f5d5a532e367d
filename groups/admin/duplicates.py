"""Possible duplicates, comparing two people side by side, merging them and undoing it."""

from typing import cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

from groups.admin.base import current_member
from groups.admin.merge_tab import MERGE, compare_link, page_of
from groups.models import CommunityMember, DuplicateStatus, Member, MemberMerge, PossibleDuplicate
from groups.rules import MERGE_UNDO_DAYS
from groups.selectors.comparison import compare
from groups.selectors.people import Person, find_person
from groups.services.duplicates import find_duplicates, mark_not_same, reopen_pair
from groups.services.merging import merge_people, undo_merge
from missionsite.common.admin import Action, ModelAdmin, OptionalReasonForm
from missionsite.common.admin.actions import form_page, post_action
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge, format_datetime

REASONS = {
    "email": _("e-mail"),
    "github": _("GitHub name"),
    "name": _("name"),
    "phone": _("phone"),
    "similar_name": _("similar name"),
    "telegram": _("Telegram name"),
}
COLOURS: dict[str, str] = {
    DuplicateStatus.OPEN: "warning",
    DuplicateStatus.NOT_SAME: "default",
    DuplicateStatus.MERGED: "success",
    DuplicateStatus.OUTDATED: "default",
}


class MergeForm(forms.Form):
    """Who is kept, and why they are merged."""

    keep = forms.ChoiceField(label=_("Keep"), widget=UnfoldAdminRadioSelectWidget())
    reason = forms.CharField(
        required=False,
        max_length=500,
        label=_("Reason (optional)"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(self, data=None, *, people: tuple[Person, Person]) -> None:
        self.people = {str(person.key): person for person in people}
        super().__init__(data, initial={"keep": str(people[0].key)})
        cast(forms.ChoiceField, self.fields["keep"]).choices = [
            (key, str(person)) for key, person in self.people.items()
        ]

    def kept_and_absorbed(self) -> tuple[Person, Person]:
        kept = self.people[self.cleaned_data["keep"]]
        (absorbed,) = (person for person in self.people.values() if person is not kept)
        return kept, absorbed


def _name_of(field: str) -> Coalesce:
    """Return a subquery with the name of one person of a pair."""
    return Coalesce(
        Subquery(CommunityMember.objects.filter(person=OuterRef(field)).values("name")[:1]),
        Subquery(CommunityMember.objects.filter(pk=OuterRef(field)).values("name")[:1]),
        Subquery(Member.objects.filter(pk=OuterRef(field)).values("display_name")[:1]),
    )


def _not_same(pair: PossibleDuplicate, actor: Member, values: dict) -> None:
    mark_not_same(actor=actor, pair=pair, reason=values["reason"])


def _reopen(pair: PossibleDuplicate, actor: Member, values: dict) -> None:
    reopen_pair(actor=actor, pair=pair)


@admin.register(PossibleDuplicate)
class PossibleDuplicateAdmin(ModelAdmin[PossibleDuplicate]):
    """Pairs of people who may be the same, the most likely first."""

    list_display = ("pair", "in_common", "score", "state", "found")
    list_display_links = ("pair",)
    list_filter = (("status", ChoicesDropdownFilter),)
    sortable_by = ()
    empty_text = (_("No possible duplicates"), _("Pairs with the same e-mail, user name, phone or a similar name."))
    fields = (("pair", "state"), ("in_common", "score"), "found")
    readonly_fields = ("pair", "in_common", "score", "state", "found")
    object_actions = (
        Action(
            name="not-same",
            title=_("Not the same"),
            success_message=_("remembered as different people"),
            run=_not_same,
            permission=MERGE,
            form=OptionalReasonForm,
            available=lambda pair: pair.status in (DuplicateStatus.OPEN, DuplicateStatus.OUTDATED),
            help_text=_("The pair is not proposed again."),
            icon="person_off",
            bulk_title=_("Not the same"),
        ),
        Action(
            name="reopen",
            title=_("Decide again"),
            success_message=_("to decide again"),
            run=_reopen,
            permission=MERGE,
            available=lambda pair: pair.status == DuplicateStatus.NOT_SAME,
            icon="undo",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if not (match and "object_id" in match.kwargs) and "status__exact" not in request.GET:
            rows = rows.filter(status=DuplicateStatus.OPEN)
        return rows.annotate(first_name=_name_of("first"), second_name=_name_of("second"))

    def shows_every_row(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        if not request.user.has_perm(MERGE):
            return []
        link = reverse("admin:groups_possibleduplicate_find")
        return [{"title": gettext("Search now"), "icon": "person_search", "link": link}]

    def extra_buttons(self, request: HttpRequest, obj: PossibleDuplicate) -> list[dict]:
        if not request.user.has_perm(MERGE):
            return []
        link = compare_link(obj.first, obj.second)
        return [{"title": gettext("Compare and merge"), "icon": "compare_arrows", "link": link}]

    def get_urls(self) -> list:
        return [
            path("find/", self._wrapped(self.find_view, self.find_view), name="groups_possibleduplicate_find"),
            path(
                "compare/",
                self._wrapped(self.compare_view, self.compare_view),
                name="groups_possibleduplicate_compare",
            ),
            path(
                "merges/<uuid:merge>/undo/",
                self._wrapped(self.undo_view, self.undo_view),
                name="groups_possibleduplicate_undo",
            ),
            *super().get_urls(),
        ]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Search for duplicates now; the job does so every night."""
        if not request.user.has_perm(MERGE):
            raise PermissionDenied
        back = reverse("admin:groups_possibleduplicate_changelist")

        def save() -> FormResult:
            count = find_duplicates(actor=current_member(request))
            return FormResult(
                back,
                ngettext("%(count)d pair to decide.", "%(count)d pairs to decide.", count) % {"count": count},
            )

        return form_page(
            self,
            request,
            forms.Form(request.POST if request.method == "POST" else None),
            save,
            title=gettext("Search for duplicates"),
            context=lambda: {
                "submit": gettext("Search now"),
                "back": back,
                "help_text": gettext(
                    "Compares e-mails, phone numbers, Telegram and GitHub names, and names of all people. The same"
                    " search runs every night."
                ),
            },
        )

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Two people side by side, and the form that merges them."""
        if not request.user.has_perm(MERGE):
            raise PermissionDenied
        first, second = (find_person(request.GET.get(name, "")) for name in ("first", "second"))
        if first is None or second is None or first.key == second.key:
            messages.error(request, gettext("Choose two different people."))
            return HttpResponseRedirect(reverse("admin:groups_possibleduplicate_changelist"))
        people = (first, second)
        form = MergeForm(request.POST if request.method == "POST" else None, people=people)

        def save() -> FormResult:
            kept, absorbed = form.kept_and_absorbed()
            merge_people(
                actor=current_member(request), kept=kept, absorbed=absorbed, reason=form.cleaned_data["reason"]
            )
            message = gettext("%(absorbed)s was merged into %(kept)s. It can be undone for %(days)d days.") % {
                "absorbed": absorbed,
                "kept": kept,
                "days": MERGE_UNDO_DAYS,
            }
            return FormResult(page_of(kept), message)

        return form_page(
            self,
            request,
            form,
            save,
            title=gettext("Compare and merge"),
            template="groups/compare.html",
            context=lambda: {
                "submit": gettext("Merge"),
                "back": reverse("admin:groups_possibleduplicate_changelist"),
                "people": people,
                "lines": compare(*people),
                "days": MERGE_UNDO_DAYS,
            },
        )

    @property
    def undo_view(self):
        def undo(request: HttpRequest, merge) -> FormResult:
            if not request.user.has_perm(MERGE):
                raise PermissionDenied
            found = MemberMerge.objects.filter(pk=merge).first()
            if found is None:
                raise Http404
            stay = undo_merge(actor=current_member(request), merge=found)
            message = gettext("The merge was undone.")
            if stay:
                message += " " + ngettext(
                    "%(count)d row was changed since and stays as it is.",
                    "%(count)d rows were changed since and stay as they are.",
                    stay,
                ) % {"count": stay}
            return FormResult(page_of(Person(found.kept, found.kept_entry)), message)

        return post_action(back=lambda **parts: reverse("admin:groups_possibleduplicate_changelist"))(undo)

    # --- Showing ------------------------------------------------------------------------------

    def describe(self, obj: PossibleDuplicate) -> str:
        return self.pair(obj)

    @display(description=_("People"))
    def pair(self, pair: PossibleDuplicate) -> str:
        first, second = (getattr(pair, name, "") for name in ("first_name", "second_name"))
        return f"{first} / {second}"

    @display(description=_("In common"))
    def in_common(self, pair: PossibleDuplicate) -> str:
        # The same name sounds the same.
        reasons = [reason for reason in pair.reasons if reason != "similar_name" or "name" not in pair.reasons]
        return ", ".join(str(REASONS.get(reason, reason)) for reason in reasons)

    @display(description=_("Status"))
    def state(self, pair: PossibleDuplicate) -> str:
        return badge(pair.get_status_display(), COLOURS[pair.status])

    @display(description=_("Found"))
    def found(self, pair: PossibleDuplicate) -> str:
        return format_datetime(pair.found_at)
