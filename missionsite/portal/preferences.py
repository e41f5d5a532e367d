"""The message settings of a member: time zone, language, chat, and whether messages are wanted."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from engagement.models import MemberAddress, UserProfile
from engagement.rules import VERIFIABLE
from engagement.services.profiles import knows_timezone, update_profile
from engagement.services.senders import code_of
from groups.models import Member
from missionsite.common.errors import DomainError
from missionsite.portal.forms import ZONES, MessagesForm
from missionsite.portal.page import current_member, member_page, render_page
from missionsite.portal.texts import label


def zone_context(member: Member) -> dict[str, Any]:
    """Return a member's time zone and the time there, for a page that asks whether the browser's zone is theirs."""
    zone = UserProfile.objects.values_list("timezone", flat=True).get(pk=member.pk)
    return {"zone": zone, "zone_time": date_format(timezone.now().astimezone(ZoneInfo(zone)), "TIME_FORMAT")}


def address_context(member: Member) -> dict[str, Any]:
    """Return the addresses of a member, and the code that verifies one, if there is one to verify."""
    rows = list(MemberAddress.objects.filter(user=member))
    open_ = [row for row in rows if row.verified_at is None and row.channel in VERIFIABLE]
    return {
        "addresses": [(label(row.get_channel_display()), row.address, row.verified_at) for row in rows],
        "address_code": code_of(member) if open_ and settings.ENGAGEMENT_INBOUND_SECRETS else "",
    }


@member_page
def messages_page(request: HttpRequest) -> HttpResponse:
    """Change the message settings."""
    member = current_member(request)
    if request.method == "POST":
        form = MessagesForm(request.POST)
        if form.is_valid():
            try:
                update_profile(actor=member, member=member, **form.changes())
            except DomainError as error:
                form.add_service_error(error)
            else:
                messages.success(request, _("Your message settings were saved."))
                return redirect("portal:me")
    else:
        profile = UserProfile.objects.get(pk=member.pk)
        form = MessagesForm(initial=MessagesForm.initial_of(profile))
    return render_page(request, "messages", {"form": form, "zones": ZONES, **zone_context(member)})


@member_page
@require_POST
def use_browser_zone(request: HttpRequest) -> HttpResponse:
    """Change the time zone to that of the browser, after the question on the profile page."""
    member, zone = current_member(request), request.POST.get("timezone", "")[:64]
    if knows_timezone(zone):
        update_profile(actor=member, member=member, timezone=zone)
        messages.success(request, _("Your time zone is now {zone}.").format(zone=zone))
    else:
        messages.error(request, _("This time zone is not known. Choose one in your message settings."))
    return redirect("portal:me")
