"""Assigning missions and proposals, and the page that hands over the open work of a member."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from fallback.admin.base import MemberField, ProjectAction, member_of, rights_of
from fallback.models import Mission, MissionAssignment, MissionFallbackItem
from fallback.models.choices import AssignmentKind
from fallback.selectors.assignments import may_take, open_assignments, visible_to
from fallback.selectors.rights import Right, Rights
from fallback.services.assignments import assign_item, assign_mission, hand_over
from groups.models import Member
from missionsite.common.admin import ActionForm
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once

# Shown in the preview; all are handed over.
SHOWN = 200


class AssignForm(ActionForm):
    kind = forms.ChoiceField(label=_("For"), choices=AssignmentKind, widget=UnfoldAdminSelectWidget)
    member = MemberField(label=_("Member"), required=False)


class AssignItemForm(ActionForm):
    member = MemberField(label=_("Member"), required=False)


class HandOverForm(forms.Form):
    """member: whose work it is. to: who takes it over; empty for a preview."""

    member = MemberField(label=_("From"))
    to = MemberField(label=_("To"))


ASSIGN_MISSION: ProjectAction[Mission] = ProjectAction(
    name="assign",
    title=_("Assign"),
    success_message=_("assigned"),
    run=lambda mission, actor, values: assign_mission(
        actor=actor, mission=mission, kind=values["kind"], member=values["member"]
    ),
    permission="",
    form=AssignForm,
    right=Right.CONTRIBUTE,
    help_text=_("To a person of the project, who is notified. Without a member, the assignment is removed."),
    icon="assignment_ind",
)
ASSIGN_ITEM: ProjectAction[MissionFallbackItem] = ProjectAction(
    name="assign",
    title=_("Assign"),
    success_message=_("assigned"),
    run=lambda item, actor, values: assign_item(actor=actor, item=item, member=values["member"]),
    permission="",
    form=AssignItemForm,
    right=Right.REVIEW,
    available=lambda item: item.status == "proposed",
    help_text=_("To a reviewer of the project, who is notified. Without a member, the assignment is removed."),
    icon="assignment_ind",
)


def hand_over_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Preview the open work of a member in the projects that the user maintains, and give it to another."""
    rights, actor = rights_of(request), member_of(request)
    if not rights.in_any_project(Right.MAINTAIN):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    is_preview = request.method != "POST" or given.get("step") == "preview"
    form = HandOverForm(given if given.get("member") or not is_preview else None)
    form.fields["to"].required = not is_preview
    here = reverse("admin:fallback_hand_over")

    def save() -> FormResult:
        values = form.cleaned_data
        result = hand_over(actor=actor, member=values["member"], to=values["to"])
        text = ngettext("{number} assignment handed over.", "{number} assignments handed over.", result.moved)
        message = text.format(number=result.moved)
        if result.left:
            more = ngettext("{number} was left.", "{number} were left.", result.left)
            message = f"{message} {more.format(number=result.left)}"
        return FormResult(f"{here}?{urlencode({'member': values['member'].member_id})}", message)

    if not is_preview and (response := submit_form_once(request, form, save)):
        return response
    member: Member | None = None
    to: Member | None = None
    if form.is_bound:
        form.is_valid()
        member, to = form.cleaned_data.get("member"), form.cleaned_data.get("to")
    rows = open_assignments(member).filter(visible_to(rights, Right.MAINTAIN)) if member else None
    theirs = Rights(to) if to else None
    return render_page(
        model_admin,
        request,
        "fallback/hand_over.html",
        title=gettext("Hand over open work"),
        form=form,
        member=member,
        to=to,
        number=rows.count() if rows is not None else 0,
        rows=[_row(each, theirs) for each in rows[:SHOWN]] if rows is not None else [],
        back=reverse("admin:fallback_inbox"),
    )


def _row(assignment: MissionAssignment, theirs: Rights | None) -> dict:
    subject = assignment.mission or assignment.item
    name = "mission" if assignment.mission_id else "missionfallbackitem"
    return {
        "title": subject.title if subject else "",
        "url": reverse(f"admin:fallback_{name}_change", args=[assignment.mission_id or assignment.item_id]),
        "project": subject.project.name if subject else "",
        "kind": gettext("Proposal to review") if assignment.item_id else assignment.get_kind_display(),
        "is_left": theirs is not None and not may_take(theirs, assignment),
    }


def assignees(subject: Any) -> str:
    """The people to whom a mission or proposal is assigned, as text."""
    rows = subject.assignments.select_related("member").order_by("kind")
    return ", ".join(f"{row.member.display_name} ({row.get_kind_display().lower()})" for row in rows)
