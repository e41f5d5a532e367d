"""The page of absences and deputies: the user's own, and for administrators those of all members."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget

from fallback.admin.base import MemberField, member_of, rights_of
from fallback.models import MemberAbsence
from fallback.selectors.absences import absences_of, all_absences
from fallback.selectors.rights import Right
from fallback.services.absences import add_absence, end_absence
from missionsite.common.admin.actions import form_page, post_action
from missionsite.common.admin.form_keys import FormResult

# Shown on the page, the earliest ones.
SHOWN = 200


class AbsenceForm(forms.Form):
    """Days and deputy; with the member for administrators."""

    member = MemberField(label=_("Absent member"))
    deputy = MemberField(label=_("Deputy"))
    first = forms.DateField(label=_("First day"), widget=UnfoldAdminDateWidget)
    last = forms.DateField(label=_("Last day"), widget=UnfoldAdminDateWidget)

    def __init__(self, data: Any = None, *, for_all: bool, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if not for_all:
            del self.fields["member"]


def _manages_all(request: HttpRequest) -> bool:
    return Right.MAINTAIN in rights_of(request).in_every_project


def absences_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show absences that have not ended, and add one."""
    member, for_all = member_of(request), _manages_all(request)
    initial = {"member": member.member_id, "first": timezone.localdate(), "last": timezone.localdate()}
    form = AbsenceForm(request.POST if request.method == "POST" else None, for_all=for_all, initial=initial)

    def save() -> FormResult:
        values = form.cleaned_data
        absent = values.get("member", member)
        add_absence(actor=member, member=absent, deputy=values["deputy"], first=values["first"], last=values["last"])
        return FormResult(reverse("admin:fallback_absences"), gettext("Absence saved."))

    def context() -> dict:
        at = timezone.now()
        rows = all_absences(at) if for_all else absences_of(member, at)
        return {
            "submit": gettext("Save absence"),
            "back": reverse("admin:fallback_inbox"),
            "help_text": gettext(
                "During an absence, notifications about projects and requests for a review also go to the deputy, who"
                " decides what the absent member may decide in the projects that both can see."
            ),
            "absences": [_row(each, request) for each in rows[:SHOWN]],
        }

    title = gettext("Absences and deputies")
    return form_page(model_admin, request, form, save, title=title, template="fallback/absences.html", context=context)


def _row(absence: MemberAbsence, request: HttpRequest) -> dict:
    last = timezone.localtime(absence.ends_at) - timedelta(seconds=1)
    return {
        "absence": absence,
        "first": date_format(timezone.localtime(absence.starts_at).date()),
        "last": date_format(last.date()),
        "is_now": absence.starts_at <= timezone.now(),
        "may_end": absence.member_id == member_of(request).pk or _manages_all(request),
    }


def _back(**parts: str) -> str:
    return reverse("admin:fallback_absences")


@post_action(back=_back)
def end_view(request: HttpRequest, absence_id: str) -> FormResult:
    """End an absence now, or cancel one that has not begun."""
    member = member_of(request)
    found = MemberAbsence.objects.filter(pk=absence_id).first()
    if found is None or (not _manages_all(request) and member.pk not in (found.member_id, found.deputy_id)):
        raise Http404(gettext("Absence not found."))
    if found.member_id != member.pk and not _manages_all(request):
        raise PermissionDenied
    end_absence(actor=member, absence=found)
    return FormResult(_back(), gettext("Absence ended."))
