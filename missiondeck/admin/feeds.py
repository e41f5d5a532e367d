"""Calendar feeds: users create, list and revoke their own."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from missiondeck.admin.base import VIEW_PERMISSION, current_member
from missiondeck.admin.workspace_url import key_of
from missiondeck.models import DeckFeed
from missiondeck.rules import MAX_ALARM_HOURS
from missiondeck.services.feeds import create_feed, revoke_feed
from missionsite.common.accounts.identity import require_identity
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once

# Revoked feeds that are listed.
REVOKED_SHOWN = 10
_SHOWN_ONCE = _("The feed URL is shown only once. If you did not copy it, revoke the feed and create a new one.")


class FeedForm(forms.ModelForm):
    class Meta:
        model = DeckFeed
        fields = ("name", "only_own", "alarm_hours", "hides_budget", "hides_addresses")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            "only_own": UnfoldBooleanSwitchWidget(),
            "alarm_hours": UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": MAX_ALARM_HOURS}),
            "hides_budget": UnfoldBooleanSwitchWidget(),
            "hides_addresses": UnfoldBooleanSwitchWidget(),
        }


def feeds_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """The user's own feeds. A POST creates one, or revokes the one whose id is in `revoke`.

    A new URL is shown only in the response to its POST: not in a message, the session, or a later page.
    """
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    if "revoke" in request.POST:
        return _revoke(request)
    form, address, made = FeedForm(request.POST if request.method == "POST" else None), "", None

    def make_feed() -> FormResult:
        nonlocal address, made
        require_identity(request)
        made, secret = create_feed(actor=current_member(request), **form.cleaned_data)
        address = request.build_absolute_uri(reverse("deck_feed", args=[secret]))
        return FormResult(reverse("admin:missiondeck_feeds"))

    if request.method == "POST" and (answer := submit_form_once(request, form, make_feed)):
        if made is None:
            messages.info(request, _SHOWN_ONCE)
            return answer
        form = FeedForm()
    own = DeckFeed.objects.filter(member=current_member(request))
    response = render_page(
        model_admin,
        request,
        "missiondeck/feeds.html",
        title=gettext("Calendar feeds"),
        form=form,
        buttons=[
            {"title": gettext("Calendar"), "icon": "calendar_month", "link": reverse("admin:missiondeck_calendar")}
        ],
        made=made,
        address=address,
        feeds=own.filter(revoked_at=None),
        revoked=own.exclude(revoked_at=None).order_by(F("revoked_at").desc(), "pk")[:REVOKED_SHOWN],
    )
    add_never_cache_headers(response)
    return response


def _revoke(request: HttpRequest) -> HttpResponse:
    feed = DeckFeed.objects.filter(member=current_member(request), pk=key_of(request.POST["revoke"])).first()
    if feed is None:
        messages.error(request, gettext("This feed does not exist."))
    else:
        revoke_feed(actor=current_member(request), feed=feed)
        messages.success(request, gettext("The feed “%(feed)s” was revoked.") % {"feed": feed})
    return HttpResponseRedirect(reverse("admin:missiondeck_feeds"))
