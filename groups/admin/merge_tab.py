"""The tab with the merges of a person, and the button that leads to comparing them with another one."""

from datetime import timedelta

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from groups.models import CommunityMember, Member, MemberMerge
from groups.rules import MERGE_UNDO_DAYS
from groups.selectors.people import Person, find_person, person_of_account, person_of_entry
from missionsite.common.admin import Action, ActionForm, CustomTab
from missionsite.common.admin.formats import format_datetime

MERGE = "groups.merge_communitymember"


def compare_link(first: object, second: object) -> str:
    return (
        f"{reverse('admin:groups_possibleduplicate_compare')}?{urlencode({'first': str(first), 'second': str(second)})}"
    )


def page_of(person: Person) -> str:
    """The page of a person: their entry's, or their account's."""
    if person.entry:
        return reverse("admin:groups_communitymember_change", args=[person.entry.pk])
    assert person.account
    return reverse("admin:groups_member_change", args=[person.account.pk])


def _merges(obj: CommunityMember | Member, request: HttpRequest) -> dict:
    person = person_of_entry(obj) if isinstance(obj, CommunityMember) else person_of_account(obj)
    found = MemberMerge.objects.select_related("absorbed", "absorbed_entry", "merged_by", "undone_by")
    mine = Q(kept=person.account) if person.account else Q()
    if person.entry:
        mine |= Q(kept_entry=person.entry)
    latest = timezone.now() - timedelta(days=MERGE_UNDO_DAYS)
    rows = []
    for merge in found.filter(mine):
        absorbed = Person(merge.absorbed, merge.absorbed_entry)
        text = gettext("Merged %(time)s by %(name)s.") % {
            "time": format_datetime(merge.merged_at),
            "name": merge.merged_by,
        }
        if merge.undone_at:
            text += " " + gettext("Undone %(time)s by %(name)s.") % {
                "time": format_datetime(merge.undone_at),
                "name": merge.undone_by,
            }
        undoable = not merge.undone_at and merge.merged_at > latest and not person.is_merged
        may = undoable and request.user.has_perm(MERGE)
        rows.append(
            {
                "absorbed": str(absorbed)
                if absorbed.account or absorbed.entry
                else gettext("Account and entry joined"),
                "text": text,
                "reason": merge.reason,
                "undo": reverse("admin:groups_possibleduplicate_undo", args=[merge.pk]) if may else "",
            }
        )
    into = None
    if person.entry and person.entry.merged_into_id:
        into = find_person(person.entry.merged_into_id)
    elif person.account and person.account.merged_into_id:
        into = find_person(str(person.account.merged_into_id))
    return {"merges": rows, "merged_into": {"name": str(into), "link": page_of(into)} if into else None}


def merges_tab() -> CustomTab:
    return CustomTab(
        name="merges",
        title=_("Merges"),
        template="groups/merges.html",
        context=_merges,
        permission="groups.view_communitymember",
    )


class MergeWithForm(ActionForm):
    """The other person, by number or stable ID."""

    other = forms.CharField(
        max_length=64,
        label=_("The other person"),
        help_text=_("Their number, such as #247, or their stable ID, such as FE-P-00247."),
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean_other(self) -> Person:
        person = find_person(self.cleaned_data["other"])
        if person is None:
            raise forms.ValidationError(gettext("There is no such person."))
        return person


def _to_comparison(pages: object, request: HttpRequest, keys: tuple) -> HttpResponse:
    return HttpResponseRedirect(compare_link(*keys))


def _keys(obj: CommunityMember | Member, actor: Member, values: dict) -> tuple:
    person = person_of_entry(obj) if isinstance(obj, CommunityMember) else person_of_account(obj)
    return person.key, values["other"].key


def merge_action() -> Action:
    return Action(
        name="merge",
        title=_("Merge with…"),
        success_message=_("compared"),
        run=_keys,
        permission=MERGE,
        form=MergeWithForm,
        available=lambda obj: obj.merged_into_id is None,
        help_text=_("The next page shows both side by side. Nothing is changed before."),
        icon="merge",
        result_page=_to_comparison,
    )
