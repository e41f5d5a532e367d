"""The page of a client mission's clients: links to their page, what they wrote and signed, and the delivery report."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from missiondeck.admin.base import VIEW_PERMISSION, current_member, mission_url
from missiondeck.admin.workspace_texts import links_in
from missiondeck.admin.workspace_url import key_of
from missiondeck.models import ClientLink, DeckMission
from missiondeck.rules import MAX_LINK_DAYS
from missiondeck.selectors.clients import comments_of, links_of, signatures_of
from missiondeck.services.client_links import create_client_link, revoke_client_link
from missiondeck.services.delivery_reports import delivery_report
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once
from missionsite.common.downloads import download
from missionsite.common.rendering import render_markdown

CHANGE = "missiondeck.change_deckmission"
# Links, comments and signatures that are listed.
SHOWN = 50
_SHOWN_ONCE = _("The link is shown only once. If you did not copy it, revoke it and create a new one.")


class ClientLinkForm(forms.ModelForm):
    days = forms.IntegerField(
        label=_("Valid for days"),
        min_value=1,
        max_value=MAX_LINK_DAYS,
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": MAX_LINK_DAYS}),
    )

    class Meta:
        model = ClientLink
        fields = ("name", "email", "hides_deadline", "hides_evidence", "hides_tests", "hides_budget")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            "email": UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
            "hides_deadline": UnfoldBooleanSwitchWidget(),
            "hides_evidence": UnfoldBooleanSwitchWidget(),
            "hides_tests": UnfoldBooleanSwitchWidget(),
            "hides_budget": UnfoldBooleanSwitchWidget(),
        }


def clients_view(request: HttpRequest, object_id: str, *, model_admin: ModelAdmin) -> HttpResponse:
    """The links of a mission. A POST creates one, or revokes the one whose id is in `revoke`.

    A new link is shown only in the response to its POST: not in a message, the session, or a later page.
    """
    mission = _mission(request, object_id)
    may_change = request.user.has_perm(CHANGE)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    here = reverse("admin:missiondeck_workspace_clients", args=[mission.pk])
    if "revoke" in request.POST:
        return _revoke(request, mission, here)
    form, address, made = ClientLinkForm(request.POST if request.method == "POST" else None), "", None

    def make_link() -> FormResult:
        nonlocal address, made
        made, secret = create_client_link(actor=current_member(request), mission=mission, **form.cleaned_data)
        address = request.build_absolute_uri(reverse("client", args=[secret]))
        return FormResult(here)

    if request.method == "POST" and (answer := submit_form_once(request, form, make_link)):
        if made is None:
            messages.info(request, _SHOWN_ONCE)
            return answer
        form = ClientLinkForm()
    response = render_page(
        model_admin,
        request,
        "missiondeck/clients.html",
        title=gettext("Client"),
        mission=mission,
        form=form,
        may_change=may_change,
        made=made,
        address=address,
        links=links_of(mission)[:SHOWN],
        comments=_comments(request, mission),
        signatures=signatures_of(mission)[:SHOWN],
        buttons=[
            {"title": gettext("Workspace"), "icon": "arrow_back", "link": mission_url(mission)},
            {
                "title": gettext("Delivery report"),
                "icon": "download",
                "link": reverse("admin:missiondeck_workspace_report", args=[mission.pk]),
            },
        ],
    )
    add_never_cache_headers(response)
    return response


def _comments(request: HttpRequest, mission: DeckMission) -> list[dict]:
    """What clients wrote last, with the links of mentions and references."""
    found = list(comments_of(mission)[:SHOWN])
    links = links_in(request, mission, [each.text for each in found])
    return [
        {"at": each.created_at, "link": each.link.name, "html": render_markdown(each.text, links)} for each in found
    ]


def _revoke(request: HttpRequest, mission: DeckMission, here: str) -> HttpResponse:
    link = ClientLink.objects.filter(mission=mission, pk=key_of(request.POST["revoke"])).first()
    if link is None:
        messages.error(request, gettext("This link does not exist."))
    else:
        revoke_client_link(actor=current_member(request), link=link)
        messages.success(request, gettext("The link of %(name)s was revoked.") % {"name": link})
    return HttpResponseRedirect(here)


@require_safe
def report_view(request: HttpRequest, object_id: str, *, model_admin: ModelAdmin) -> HttpResponseBase:
    """The delivery report as one signed HTML file."""
    mission = _mission(request, object_id)
    content = delivery_report(mission=mission)
    return download(lambda: [content], name=f"delivery-{mission.number}.html", content_type="text/html; charset=utf-8")


def _mission(request: HttpRequest, key: str) -> DeckMission:
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    found = DeckMission.objects.filter(pk=key_of(key)).first()
    if found is None:
        raise Http404(gettext("This client mission does not exist."))
    return found
