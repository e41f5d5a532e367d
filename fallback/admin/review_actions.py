"""The actions of the review page: accept, discard, snooze, mark as duplicate, undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback.admin.base import member_of, rights_of
from fallback.models import Mission, MissionFallbackItem
from fallback.models.choices import DiscardReason, ItemStatus, Priority, RunStatus
from fallback.rules import EFFORT_MINUTES, FEEDBACK_LENGTH
from fallback.selectors.rights import Right
from fallback.services import review
from missionsite.common.admin.actions import InvalidForm, post_action, valid_values
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import format_datetime
from missionsite.common.errors import DomainError

# Proposals that can be decided at once.
BULK = 200
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
    rest_until = forms.DateField(label=_("Not before"), required=False)

    def clean_rest_until(self) -> datetime | None:
        """The beginning of the day in the current time zone."""
        day = self.cleaned_data["rest_until"]
        if day is None:
            return None
        if not 2000 <= day.year <= 9000:
            raise forms.ValidationError(gettext("Choose an earlier date."))
        return timezone.make_aware(datetime.combine(day, time.min))


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


def _back(**parts: str) -> str:
    return reverse("admin:fallback_review")


@post_action(back=_back)
def accept_view(request: HttpRequest, item_id: str) -> FormResult:
    """Accept a proposal, with edits if the form has a title."""
    item = _find_item(request, item_id)
    edits = _values(EditForm(request.POST)) if "title" in request.POST else {}
    mission = review.accept_item(actor=member_of(request), item=item, **edits)
    return _decision(
        item,
        gettext("Accepted: {mission} added to Todo.").format(mission=mission.title),
        mission_url=reverse("admin:fallback_mission_change", args=[mission.pk]),
    )


@post_action(back=_back)
def discard_view(request: HttpRequest, item_id: str) -> FormResult:
    """Discard a proposal, with a reason or feedback."""
    item = _find_item(request, item_id)
    review.discard_item(actor=member_of(request), item=item, **_values(DiscardForm(request.POST)))
    return _decision(item, gettext("Discarded: {item}.").format(item=item.title))


@post_action(back=_back)
def duplicate_view(request: HttpRequest, item_id: str) -> FormResult:
    """Discard a proposal as a duplicate of a mission."""
    item = _find_item(request, item_id)
    values = _values(DuplicateForm(request.POST))
    mission = Mission.objects.filter(pk=values["mission"].strip(), project=item.project).first()
    if mission is None:
        raise InvalidForm(gettext("No such mission in this project. Choose one from the list."), field="mission")
    review.mark_duplicate(actor=member_of(request), item=item, mission=mission, feedback=values["feedback"])
    return _decision(
        item,
        gettext("Discarded: {item} is a duplicate of {mission}.").format(item=item.title, mission=mission.title),
    )


@post_action(back=_back)
def snooze_view(request: HttpRequest, item_id: str) -> FormResult:
    """Snooze a proposal."""
    item = _find_item(request, item_id)
    until = _values(SnoozeItemForm(request.POST))["until"]
    review.snooze_item(actor=member_of(request), item=item, until=until)
    message = gettext("Snoozed until {when}: {item}.").format(when=format_datetime(until), item=item.title)
    return _result(message, id=item.pk, undo_url=reverse("admin:fallback_item_unsnooze", args=[item.pk]))


@post_action(back=_back)
def unsnooze_view(request: HttpRequest, item_id: str) -> FormResult:
    """End the snooze of a proposal."""
    item = _find_item(request, item_id)
    review.unsnooze_item(actor=member_of(request), item=item)
    return _result(gettext("Back in review: {item}.").format(item=item.title), id=item.pk)


@post_action(back=_back)
def undo_view(request: HttpRequest, item_id: str) -> FormResult:
    """Undo the user's own decision."""
    item = _find_item(request, item_id)
    review.undo_decision(actor=member_of(request), item=item)
    message = gettext("Undone: {item} is back in review.").format(item=item.title)
    return _result(message, id=item.pk)


@post_action(back=_back)
def bulk_accept_view(request: HttpRequest) -> FormResult:
    """Accept several proposals, each within its guardrails."""
    return _decide_selected(
        request, ItemStatus.ACCEPTED, lambda item: review.accept_item(actor=member_of(request), item=item)
    )


@post_action(back=_back)
def bulk_discard_view(request: HttpRequest) -> FormResult:
    """Discard several proposals for one reason."""
    values = _values(DiscardForm(request.POST))
    return _decide_selected(
        request, ItemStatus.DISCARDED, lambda item: review.discard_item(actor=member_of(request), item=item, **values)
    )


def _decide_selected(
    request: HttpRequest, status: ItemStatus, decide: Callable[[MissionFallbackItem], object]
) -> FormResult:
    chosen = list(dict.fromkeys(request.POST.getlist("items")))
    if not chosen:
        raise InvalidForm(gettext("Select proposals first."), field="items")
    if len(chosen) > BULK:
        raise InvalidForm(gettext("Select at most {number} proposals.").format(number=BULK), field="items")
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
    return _result(message, results=results)


def _find_item(request: HttpRequest, pk: str) -> MissionFallbackItem:
    """A proposal that the user may decide on. Raises Http404 if it is not visible, NotAllowed without the right."""
    rights = rights_of(request)
    found: QuerySet = MissionFallbackItem.objects.select_related("project__organization", "run")
    item = found.filter(rights.project_filter(Right.VIEW, path="project__"), pk=pk.replace("\x00", "")).first()
    if item is None:
        raise Http404(gettext("Proposal not found."))
    rights.check(Right.REVIEW, item.project)
    return item


def _decision(item: MissionFallbackItem, message: str, **facts: Any) -> FormResult:
    item.run.refresh_from_db(fields=["status"])
    return _result(
        message,
        id=item.pk,
        undo_url=reverse("admin:fallback_item_undo", args=[item.pk]),
        run_completed=item.run.status == RunStatus.COMPLETED,
        **facts,
    )


def _result(message: str, **facts: Any) -> FormResult:
    return FormResult(_back(), message, facts=facts)


def _values(form: forms.Form) -> dict:
    return valid_values(form, with_label=True)
