"""The page of a mission's budget: time entries and amounts, and how much of the budget is used."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminTextInputWidget,
)

from missiondeck.admin.base import current_member, mission_url
from missiondeck.admin.workspace_formats import format_minutes, shown_use
from missiondeck.admin.workspace_page import find_mission
from missiondeck.admin.workspace_url import key_of
from missiondeck.models import DeckCost, DeckMission
from missiondeck.rules import COST_CENTS, COST_MINUTES, CURRENCY
from missiondeck.selectors.clients import money
from missiondeck.selectors.costs import budget_use, costs_of
from missiondeck.services.costs import add_cost, remove_cost
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once

ADD = "missiondeck.add_deckcost"
# Entries that are listed.
SHOWN = 200


class CostForm(forms.Form):
    """Time with an hourly rate, or an amount."""

    worked_on = forms.DateField(label=_("Day"), initial=timezone.localdate, widget=UnfoldAdminDateWidget())
    hours = forms.DecimalField(
        label=_("Hours of work"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=COST_MINUTES // 60,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text=_("Such as 1.5. Leave it empty for an amount."),
    )
    rate = forms.DecimalField(
        label=_("Amount per hour"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=COST_CENTS // 100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text=_("For hours of work; empty if they cost nothing."),
    )
    amount = forms.DecimalField(
        label=_("Amount"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=COST_CENTS // 100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text=_("Instead of hours of work."),
    )
    currency = forms.RegexField(
        CURRENCY,
        label=_("Currency"),
        error_messages={"invalid": _("Enter a currency as three capital letters, such as USD, EUR or BRL.")},
        widget=UnfoldAdminTextInputWidget(attrs={"maxlength": 3}),
        help_text=_("Only amounts in the currency of the budget count against it."),
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget())

    def clean(self) -> dict:
        values = super().clean() or self.cleaned_data
        if not self.errors and (values.get("hours") is None) == (values.get("amount") is None):
            raise forms.ValidationError(gettext("Enter either hours of work or an amount."))
        return values

    def values(self) -> dict:
        """The arguments of add_cost."""
        given = self.cleaned_data
        hours, rate, amount = given["hours"], given["rate"], given["amount"]
        return {
            "worked_on": given["worked_on"],
            "minutes": max(1, round(hours * 60)) if hours is not None else None,
            "rate_cents": int(rate * 100) if rate is not None else None,
            "amount_cents": int(amount * 100) if amount is not None else None,
            "currency": given["currency"],
            "note": given["note"],
        }


def budget_view(request: HttpRequest, object_id: str, *, model_admin: ModelAdmin) -> HttpResponse:
    """The costs of a mission. A POST adds one, or removes the one whose id is in `remove`."""
    mission = find_mission(request, object_id)
    may_change = request.user.has_perm(ADD)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    here = reverse("admin:missiondeck_workspace_budget", args=[mission.pk])
    if "remove" in request.POST:
        return _remove(request, mission, here)
    form = CostForm(request.POST if request.method == "POST" else None, initial={"currency": mission.currency})

    def add() -> FormResult:
        add_cost(actor=current_member(request), mission=mission, **form.values())
        return FormResult(here)

    if request.method == "POST" and (answer := submit_form_once(request, form, add)):
        return answer
    found = list(costs_of(mission)[: SHOWN + 1])
    return render_page(
        model_admin,
        request,
        "missiondeck/budget.html",
        title=gettext("Budget"),
        mission=mission,
        form=form,
        may_change=may_change,
        use=shown_use(budget_use(mission)),
        costs=[
            {
                "key": each.pk,
                "day": each.worked_on,
                "time": format_minutes(each.minutes) if each.minutes else "",
                "amount": money(each.currency, each.amount_cents),
                "note": each.note,
                "author": str(each.author),
            }
            for each in found[:SHOWN]
        ],
        has_more=len(found) > SHOWN,
        buttons=[{"title": gettext("Workspace"), "icon": "arrow_back", "link": mission_url(mission)}],
    )


def _remove(request: HttpRequest, mission: DeckMission, here: str) -> HttpResponse:
    cost = DeckCost.objects.filter(mission=mission, removed_at=None, pk=key_of(request.POST["remove"])).first()
    if cost is None:
        messages.error(request, gettext("This entry was removed already."))
    else:
        remove_cost(actor=current_member(request), cost=cost)
        messages.success(request, gettext("The entry was removed."))
    return HttpResponseRedirect(here)
