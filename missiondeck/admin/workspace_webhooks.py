"""The page of a client mission's webhooks and what was delivered to other systems."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminURLInputWidget

from missiondeck.admin.base import VIEW_PERMISSION, current_member, mission_url
from missiondeck.admin.workspace_url import key_of
from missiondeck.models import DeckMission, Delivery, DeliveryChannel, Webhook
from missiondeck.services.deliveries import create_webhook, resend_delivery, revoke_webhook
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once

CHANGE = "missiondeck.change_deckmission"
# Deliveries that are listed.
SHOWN = 50
_SHOWN_ONCE = _("The secret is shown only once. If you did not copy it, revoke the webhook and create a new one.")


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        help_text=_("Receives the notices of this mission as JSON by POST. It must start with https:// and be public."),
        widget=UnfoldAdminURLInputWidget(attrs={"autocomplete": "off"}),
    )


def webhooks_view(request: HttpRequest, object_id: str, *, model_admin: ModelAdmin) -> HttpResponse:
    """The webhooks of a mission. A POST creates one, revokes one (`revoke`), or sends a delivery again (`resend`).

    A new secret is shown only in the response to its POST.
    """
    mission = _mission(request, object_id)
    may_change = request.user.has_perm(CHANGE)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    here = reverse("admin:missiondeck_workspace_webhooks", args=[mission.pk])
    if "revoke" in request.POST or "resend" in request.POST:
        return _change(request, mission, here)
    form, made = WebhookForm(request.POST if request.method == "POST" else None), None

    def make() -> FormResult:
        nonlocal made
        made = create_webhook(actor=current_member(request), mission=mission, url=form.cleaned_data["url"])
        return FormResult(here)

    if request.method == "POST" and (answer := submit_form_once(request, form, make)):
        if made is None:
            messages.info(request, _SHOWN_ONCE)
            return answer
        form = WebhookForm()
    found = Delivery.objects.filter(notice__mission=mission).select_related("notice", "webhook")
    response = render_page(
        model_admin,
        request,
        "missiondeck/webhooks.html",
        title=gettext("Webhooks"),
        mission=mission,
        form=form,
        may_change=may_change,
        made=made,
        webhooks=Webhook.objects.filter(mission=mission, revoked_at=None),
        deliveries=[
            {
                "row": each,
                "to": each.webhook.url if each.webhook else DeliveryChannel(each.channel).label,
                "kind": each.notice.get_kind_display(),
            }
            for each in found[:SHOWN]
        ],
        buttons=[{"title": gettext("Workspace"), "icon": "arrow_back", "link": mission_url(mission)}],
    )
    add_never_cache_headers(response)
    return response


def _change(request: HttpRequest, mission: DeckMission, here: str) -> HttpResponse:
    webhook = Webhook.objects.filter(mission=mission, pk=key_of(request.POST.get("revoke", ""))).first()
    found = Delivery.objects.filter(notice__mission=mission, pk=key_of(request.POST.get("resend", ""))).first()
    if webhook is not None:
        revoke_webhook(actor=current_member(request), webhook=webhook)
        messages.success(request, gettext("The webhook was revoked."))
    elif found is not None:
        resend_delivery(actor=current_member(request), delivery=found)
        messages.success(request, gettext("The delivery will be sent again within a minute."))
    else:
        messages.error(request, gettext("This webhook or delivery does not exist."))
    return HttpResponseRedirect(here)


def _mission(request: HttpRequest, key: str) -> DeckMission:
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    found = DeckMission.objects.filter(pk=key_of(key)).first()
    if found is None:
        raise Http404(gettext("This client mission does not exist."))
    return found
