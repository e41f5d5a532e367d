"""Calendar feeds: everyone makes, sees and takes back the own ones."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from missiondeck.admin.base import VIEW_PERMISSION
from missiondeck.models import DeckFeed
from missiondeck.services.feeds import create_feed, revoke_feed
from missionsite.common.admin.form_keys import FormResult, submit_form_once

# Feeds of one person that work at a time: a phone, a laptop, a few more.
MAX_FEEDS = 20
# Those taken back that are still named.
REVOKED_SHOWN = 10
_SHOWN_ONCE = (
    "The address of a feed is shown only once. If you have not copied it, take the feed back and make a new one."
)


class FeedForm(forms.ModelForm):
    class Meta:
        model = DeckFeed
        fields = ("name", "only_own")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            "only_own": UnfoldBooleanSwitchWidget(),
        }

    def __init__(self, *args, owner, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner

    def clean(self) -> dict:
        if DeckFeed.objects.filter(member=self.owner, revoked_at=None).count() >= MAX_FEEDS:
            raise forms.ValidationError(f"You have {MAX_FEEDS} feeds that work. Take one back first.")
        return super().clean()


def feeds_view(request: HttpRequest, *, model_admin) -> HttpResponse:
    """The own feeds; a POST makes one, or takes back the one named by `revoke`.

    A new address is shown in the answer to its POST and nowhere else: not in a message, a session, or a later page.
    """
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    if "revoke" in request.POST:
        return _revoke(request)
    form, address, made = FeedForm(request.POST or None, owner=request.user), "", None

    def make_feed() -> FormResult:
        nonlocal address, made
        made, secret = create_feed(member=request.user, **form.cleaned_data)
        address = request.build_absolute_uri(reverse("deck_feed", args=[secret]))
        return FormResult(reverse("admin:missiondeck_feeds"))

    if request.method == "POST" and (answer := submit_form_run_once(request, form, make_feed)):
        if made is None:
            messages.info(request, _SHOWN_ONCE)
            return answer
        form = FeedForm(owner=request.user)
    own = DeckFeed.objects.filter(member=request.user)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Calendar feeds",
        "opts": model_admin.opts,
        "no_tabs": True,
        "buttons": [{"title": "Calendar", "icon": "calendar_month", "link": reverse("admin:missiondeck_calendar")}],
        "form": form,
        "media": form.media,
        "made": made,
        "address": address,
        "feeds": own.filter(revoked_at=None),
        "revoked": own.exclude(revoked_at=None).order_by(F("revoked_at").desc(), "pk")[:REVOKED_SHOWN],
    }
    request.current_app = model_admin.admin_site.name
    response = TemplateResponse(request, "missiondeck/feeds.html", context)
    add_never_cache_headers(response)
    return response


def _revoke(request: HttpRequest) -> HttpResponse:
    feed = DeckFeed.objects.filter(member=request.user, pk=_key(request.POST["revoke"])).first()
    if feed is None:
        messages.error(request, "You have no such feed.")
    else:
        revoke_feed(feed=feed)
        messages.success(request, f"{feed}: its address works no longer.")
    return HttpResponseRedirect(reverse("admin:missiondeck_feeds"))


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
