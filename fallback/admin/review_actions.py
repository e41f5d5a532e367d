"""The actions of the review page: accept, discard, snooze, mark as duplicate, undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from fallback.admin.base import member_of, rights_of
from fallback.admin.responses import answer_errors, error_response, invalid_form_response, success_response
from fallback.models import Mission, MissionFallbackItem
from fallback.models.choices import DiscardReason, ItemStatus, Priority, RunStatus
from fallback.rules import EFFORT_MINUTES, FEEDBACK_LENGTH
from fallback.selectors.rights import Right
from fallback.services import review
from missionsite.common.admin.formats import format_datetime
from missionsite.common.errors import DomainError

# Proposals that can be decided at once.
BULK = 200
BACK = reverse_lazy("admin:fallback_review")
# The messages of a decision on several proposals: all decided, or some rejected with the reason of the first.
_BULK_TEXTS = {
    ItemStatus.ACCEPTED: (_("{number} accepted."), _("{number} accepted, {rejected} rejected: {reason}")),
    ItemStatus.DISCARDED: (_("{number} discarded."), _("{number} discarded, {rejected} rejected: {reason}")),
}


class EditForm(forms.Form):
    """The fields that a reviewer may edit before accepting."""

    title = forms.CharField(max_length=500)
    description = forms.CharField(max_length=50_000, required=False)
    priority = forms.TypedChoiceField(choices=Priority, coerce=int)
    estimated_effort_minutes = forms.IntegerField(
        label=_("Estimated effort"), min_value=EFFORT_MINUTES[0], max_value=EFFORT_MINUTES[1]
    )


class DiscardForm(forms.Form):
    reason = forms.ChoiceField(choices=[("", ""), *DiscardReason.of_reviewers()], required=False)
    feedback = forms.CharField(max_length=FEEDBACK_LENGTH, required=False)


class SnoozeItemForm(forms.Form):
    """A date and time, or one of the presets."""

    PRESETS = {"tomorrow": timedelta(days=1), "3days": timedelta(days=3), "week": timedelta(days=7)}

    until = forms.CharField(max_length=40)

    def clean_until(self) -> datetime:
        given = self.cleaned_data["until"]
        if given in self.PRESETS:
            morning = timezone.localtime() + self.PRESETS[given]
            return morning.replace(hour=9, minute=0, second=0, microsecond=0)
        try:
            until = datetime.fromisoformat(given)
        except ValueError:
            raise forms.ValidationError(gettext("Choose a day and a time.")) from None
        if not 2000 <= until.year <= 9000:
            raise forms.ValidationError(gettext("Choose an earlier date."))
        return until if until.tzinfo else timezone.make_aware(until)


class DuplicateForm(forms.Form):
    mission = forms.CharField(max_length=26, error_messages={"required": _("Choose the duplicated mission.")})
    feedback = forms.CharField(max_length=FEEDBACK_LENGTH, required=False)


@require_POST
@answer_errors(lambda: BACK)
def accept_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Accept a proposal, with edits if the form has a title."""
    item = _find_item(request, item_id)
    edits = {}
    if "title" in request.POST:
        form = EditForm(request.POST)
        if not form.is_valid():
            return invalid_form_response(request, form, back=BACK)
        edits = form.cleaned_data
    mission = review.accept_item(actor=member_of(request), item=item, **edits)
    return _decision_response(
        request,
        item,
        gettext("Accepted: {mission} added to Todo.").format(mission=mission.title),
        mission_url=reverse("admin:fallback_mission_change", args=[mission.pk]),
    )


@require_POST
@answer_errors(lambda: BACK)
def discard_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal, with a reason or feedback."""
    item = _find_item(request, item_id)
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    review.discard_item(actor=member_of(request), item=item, **form.cleaned_data)
    return _decision_response(request, item, gettext("Discarded: {item}.").format(item=item.title))


@require_POST
@answer_errors(lambda: BACK)
def duplicate_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal as a duplicate of a mission."""
    item = _find_item(request, item_id)
    form = DuplicateForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    mission = Mission.objects.filter(pk=form.cleaned_data["mission"].strip(), project=item.project).first()
    if mission is None:
        message = gettext("No such mission in this project. Choose one from the list.")
        return error_response(request, message, back=BACK, field="mission", status=422)
    review.mark_duplicate(actor=member_of(request), item=item, mission=mission, feedback=form.cleaned_data["feedback"])
    return _decision_response(
        request,
        item,
        gettext("Discarded: {item} is a duplicate of {mission}.").format(item=item.title, mission=mission.title),
    )


@require_POST
@answer_errors(lambda: BACK)
def snooze_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Snooze a proposal."""
    item = _find_item(request, item_id)
    form = SnoozeItemForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    until = form.cleaned_data["until"]
    review.snooze_item(actor=member_of(request), item=item, until=until)
    message = gettext("Snoozed until {when}: {item}.").format(when=format_datetime(until), item=item.title)
    return success_response(
        request, message, back=BACK, id=item.pk, undo_url=reverse("admin:fallback_item_unsnooze", args=[item.pk])
    )


@require_POST
@answer_errors(lambda: BACK)
def unsnooze_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """End the snooze of a proposal."""
    item = _find_item(request, item_id)
    review.unsnooze_item(actor=member_of(request), item=item)
    return success_response(request, gettext("Back in review: {item}.").format(item=item.title), back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: BACK)
def undo_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Undo the user's own decision."""
    item = _find_item(request, item_id)
    review.undo_decision(actor=member_of(request), item=item)
    message = gettext("Undone: {item} is back in review.").format(item=item.title)
    return success_response(request, message, back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: BACK)
def bulk_accept_view(request: HttpRequest) -> HttpResponse:
    """Accept several proposals, each within its guardrails."""
    return _decide_selected(
        request, ItemStatus.ACCEPTED, lambda item: review.accept_item(actor=member_of(request), item=item)
    )


@require_POST
@answer_errors(lambda: BACK)
def bulk_discard_view(request: HttpRequest) -> HttpResponse:
    """Discard several proposals for one reason."""
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    values = form.cleaned_data
    return _decide_selected(
        request, ItemStatus.DISCARDED, lambda item: review.discard_item(actor=member_of(request), item=item, **values)
    )


def _decide_selected(
    request: HttpRequest, status: ItemStatus, decide: Callable[[MissionFallbackItem], object]
) -> HttpResponse:
    chosen = list(dict.fromkeys(request.POST.getlist("items")))
    if not chosen:
        return error_response(request, gettext("Select proposals first."), back=BACK, field="items", status=422)
    if len(chosen) > BULK:
        message = gettext("Select at most {number} proposals.").format(number=BULK)
        return error_response(request, message, back=BACK, field="items", status=422)
    results = []
    for pk in sorted(chosen):
        try:
            item = _find_item(request, pk)
            decide(item)
        except (DomainError, Http404) as rejection:
            message = str(rejection.message) if isinstance(rejection, DomainError) else str(rejection)
            results.append({"id": pk, "ok": False, "message": message, "undo_url": ""})
        else:
            undo = reverse("admin:fallback_item_undo", args=[pk])
            results.append({"id": pk, "ok": True, "message": str(status.label), "undo_url": undo})
    rejections = [result for result in results if not result["ok"]]
    texts = _BULK_TEXTS[status]
    message = str(texts[1] if rejections else texts[0]).format(
        number=len(results) - len(rejections),
        rejected=len(rejections),
        reason=rejections[0]["message"] if rejections else "",
    )
    return success_response(request, message, back=BACK, results=results)


def _find_item(request: HttpRequest, pk: str) -> MissionFallbackItem:
    """A proposal that the user may decide on. Raises Http404 if it is not visible, NotAllowed without the right."""
    rights = rights_of(request)
    found = MissionFallbackItem.objects.select_related("project__organization", "run")
    item = found.filter(rights.project_filter(Right.VIEW, path="project__"), pk=pk.replace("\x00", "")).first()
    if item is None:
        raise Http404(gettext("Proposal not found."))
    rights.check(Right.REVIEW, item.project)
    return item


def _decision_response(request: HttpRequest, item: MissionFallbackItem, message: str, **facts: Any) -> HttpResponse:
    item.run.refresh_from_db(fields=["status"])
    return success_response(
        request,
        message,
        back=BACK,
        id=item.pk,
        undo_url=reverse("admin:fallback_item_undo", args=[item.pk]),
        run_completed=item.run.status == RunStatus.COMPLETED,
        **facts,
    )
