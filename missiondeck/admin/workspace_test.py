"""The page of one test of a client mission: its history, owner and quarantine."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
)

from groups.models import Member
from missiondeck import rules
from missiondeck.admin.base import VIEW_PERMISSION, current_member, mission_url
from missiondeck.admin.workspace_formats import format_duration
from missiondeck.admin.workspace_url import WorkspaceUrl, key_of
from missiondeck.models import DeckMission
from missiondeck.rules import TESTER
from missiondeck.selectors.deck_tests import Appearance, TestHistory, history_of
from missiondeck.services.deck_tests import lift_quarantine, quarantine_test, set_test_owner
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import post_action, render_page, valid_values
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import format_number
from missionsite.common.errors import DomainError
from missionsite.common.rendering import render_code

CHANGE, OVERRIDE = "missiondeck.change_deckmission", "missiondeck.override_deckmission"
MARKS = {"passed": "✓", "failed": "✕", "skipped": "-"}


class OwnerForm(forms.Form):
    owner = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("Of a member; empty for no one."),
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )

    def clean_owner(self) -> Member | None:
        email = self.cleaned_data["owner"]
        if not email:
            return None
        owner = Member.objects.filter(email__iexact=email, is_active=True).first()
        if owner is None:
            raise forms.ValidationError(_("No member has this e-mail address."))
        return owner


class QuarantineForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=rules.REASON_LENGTH,
        error_messages={"required": _("Enter a reason for the quarantine.")},
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    issue_url = forms.CharField(
        label=_("URL of the issue"),
        max_length=500,
        error_messages={"required": _("Enter the URL of the issue, starting with https://.")},
        widget=UnfoldAdminURLInputWidget(),
    )
    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=rules.MAX_QUARANTINE.days,
        initial=14,
        help_text=_("When they are over, failures of the test close the gate again."),
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": rules.MAX_QUARANTINE.days}),
    )


def test_urls() -> tuple:
    """The URL patterns of tests, for workspace_urls(): URL, name and view of each."""
    return (
        ("tests/<str:test>/", "_test", test_view),
        ("tests/<str:test>/owner/", "_test_owner", owner_view),
        ("tests/<str:test>/quarantine/", "_quarantine", quarantine_view),
        ("tests/<str:test>/quarantine/lift/", "_lift_quarantine", lift_view),
    )


@require_safe
def test_view(request: HttpRequest, object_id: str, test: str, *, model_admin: ModelAdmin) -> HttpResponse:
    mission, history = _test(request, object_id, test)
    return _render(model_admin, request, mission, history)


def _action(permission: str, form: str = ""):
    """Decorate a view that changes a test; it needs a permission. form: shown with its values after an error."""

    def wrap(change):
        def run(request: HttpRequest, object_id: str, test: str, *, model_admin: ModelAdmin) -> HttpResponse:
            mission, history = _test(request, object_id, test)
            if not request.user.has_perm(permission):
                raise PermissionDenied
            page = WorkspaceUrl(mission.pk).test(history.key)

            def failed(request: HttpRequest, error: DomainError) -> HttpResponse:
                return _render(model_admin, request, mission, history, error=error, form=form)

            @post_action(failed=failed, back=lambda: page)
            def save(request: HttpRequest) -> FormResult:
                return FormResult(page, change(request, mission, history))

            return save(request)

        return require_POST(run)

    return wrap


@_action(CHANGE, "owner")
def owner_view(request: HttpRequest, mission: DeckMission, history: TestHistory) -> str:
    """State who repairs the test."""
    owner = valid_values(OwnerForm(request.POST))["owner"]
    set_test_owner(actor=current_member(request), mission=mission, test=history.test, owner=owner)
    return gettext("The owner was saved.")


@_action(OVERRIDE, "quarantine")
def quarantine_view(request: HttpRequest, mission: DeckMission, history: TestHistory) -> str:
    """Put the test in quarantine, or extend its quarantine."""
    values = valid_values(QuarantineForm(request.POST))
    until = timezone.now() + timedelta(days=values.pop("days"))
    quarantine_test(actor=current_member(request), mission=mission, test=history.test, until=until, **values)
    return gettext("The test is in quarantine.")


@_action(OVERRIDE)
def lift_view(request: HttpRequest, mission: DeckMission, history: TestHistory) -> str:
    """End the quarantine of the test."""
    lift_quarantine(actor=current_member(request), mission=mission, test=history.test)
    return gettext("The test is no longer in quarantine.")


def _test(request: HttpRequest, object_id: str, test: str) -> tuple[DeckMission, TestHistory]:
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    mission = DeckMission.objects.filter(pk=key_of(object_id)).first()
    if mission is None:
        raise Http404(gettext("This client mission does not exist."))
    history = history_of(mission, key_of(test))
    if history is None:
        raise Http404(gettext("This test is not in the latest runs of the mission."))
    return mission, history


def _render(
    model_admin: ModelAdmin,
    request: HttpRequest,
    mission: DeckMission,
    history: TestHistory,
    *,
    error: DomainError | None = None,
    form: str = "",
) -> HttpResponse:
    entry = history.entry
    if error and not form:
        messages.error(request, error.message)
    owner_form = OwnerForm(
        request.POST if form == "owner" else None,
        initial={"owner": entry.owner.email if entry and entry.owner else ""},
    )
    quarantine_form = QuarantineForm(
        request.POST if form == "quarantine" else None,
        initial={"reason": entry.quarantine_reason, "issue_url": entry.issue_url} if entry else None,
    )
    if error and form == "quarantine" and quarantine_form.is_valid():
        field = error.field if error.field in quarantine_form.fields else None
        quarantine_form.add_error(field, str(error.message))
    url = WorkspaceUrl(mission.pk, citizen=TESTER)
    return render_page(
        model_admin,
        request,
        "missiondeck/test.html",
        title=history.test,
        mission=mission,
        history=history,
        entry=entry,
        rows=[_row(each, url) for each in history.runs],
        searched=format_number(rules.HISTORY_RUNS),
        flaky=None if history.flaky_ratio is None else round(history.flaky_ratio * 100),
        owner_form=owner_form if request.user.has_perm(CHANGE) else None,
        quarantine_form=quarantine_form if request.user.has_perm(OVERRIDE) else None,
        owner_url=_address(mission, history, "test_owner"),
        quarantine_url=_address(mission, history, "quarantine"),
        lift_url=_address(mission, history, "lift_quarantine"),
        buttons=[
            {"title": gettext("Workspace"), "icon": "arrow_back", "link": f"{mission_url(mission)}?citizen=sofia"}
        ],
    )


def _address(mission: DeckMission, history: TestHistory, name: str) -> str:
    return reverse(f"admin:missiondeck_workspace_{name}", args=[mission.pk, history.key])


def _row(each: Appearance, url: WorkspaceUrl) -> dict:
    return {
        "url": url.to(run=each.run).href,
        "at": each.at,
        "mark": MARKS[each.ended],
        "ended": each.ended,
        "label": {"passed": gettext("Passed"), "failed": gettext("Failed"), "skipped": gettext("Skipped")}[each.ended],
        "is_flaky": each.is_flaky,
        "where": " · ".join(filter(None, (each.suite, each.environment, each.commit[:10]))),
        "duration": format_duration(each.duration),
        "error": render_code(each.error, gettext("Error")) if each.error else "",
    }
