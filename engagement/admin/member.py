"""Engagement tab of a member's page."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from engagement.admin.addresses import format_status
from engagement.admin.base import STATE, STATUS, VIEW_STATES, format_details, shown_error
from engagement.admin.next_messages import explain_next_goodbye, explain_weekly_review
from engagement.admin.profiles import format_progress, format_tier, format_topics
from engagement.admin.waiting import explain_waiting
from engagement.models import (
    BouncedAddress,
    EngagementMessage,
    EngagementStateTransition,
    MemberAddress,
    UserEngagementState,
    UserProfile,
)
from engagement.rules import Channel, State, Status
from engagement.selectors.addresses import route_to, site_channels
from engagement.selectors.blocking import format_block_reason
from groups.models import Member
from missionsite.common.admin import CustomTab, register_tab
from missionsite.common.admin.formats import badge, format_datetime, link_to, list_url
from missionsite.common.admin.tabs import join_parts
from missionsite.common.annotations import StrOrPromise

# Rows of each table; the lists have the others.
ROWS = 20

# A label and its value.
Line = tuple[StrOrPromise, StrOrPromise]


def _engagement(member: Member, request: HttpRequest) -> dict:
    state = UserEngagementState.objects.filter(user=member.pk).first()
    profile = UserProfile.objects.filter(pk=member.pk).first()
    addresses = MemberAddress.objects.filter(user=member.pk)
    bounced = BouncedAddress.objects.filter(user=member.pk)
    transitions = list(EngagementStateTransition.objects.filter(user=member.pk)[:ROWS])
    queued = EngagementMessage.objects.filter(user=member.pk)
    upcoming = queued.filter(status=Status.PENDING).order_by("scheduled_for", "pk").first()
    last = transitions[0] if transitions else None
    return {
        "now": _state_lines(state, last),
        "state": state,
        "state_link": link_to(state, _("Open engagement state")) if state else "",
        "upcoming": link_to(upcoming, upcoming.get_message_type_display()) if upcoming else "",
        "upcoming_text": explain_waiting(upcoming, profile=profile, at=timezone.now()) if upcoming else "",
        "profile": [*_profile_lines(profile), *_address_lines(addresses), *_bounced_lines(bounced)] if profile else [],
        "profile_link": link_to(profile, _("Open profile")) if profile else "",
        "transitions": [
            [
                (_("When"), format_datetime(move.created_at)),
                (_("Transition"), str(move)),
                (_("Trigger"), move.get_trigger_display()),
                (_("Details"), format_details(move)),
            ]
            for move in transitions
        ],
        "messages_sent": [
            [
                (_("Type"), link_to(message, message.get_message_type_display())),
                (_("Due"), format_datetime(message.scheduled_for)),
                (_("Status"), badge(message.get_status_display(), STATUS[message.status])),
                (_("Sent"), format_datetime(message.sent_at)),
                (_("Error"), shown_error(message)),
            ]
            for message in queued.order_by("-pk")[:ROWS]
        ],
        "transitions_list": list_url(EngagementStateTransition, user__id__exact=member.pk),
        "messages_list": list_url(EngagementMessage, user__id__exact=member.pk),
    }


def _state_lines(state: UserEngagementState | None, last: EngagementStateTransition | None) -> list[Line]:
    if state is None:
        return [(_("State"), _("None: this member has not been active yet"))]
    lines: list[Line] = [
        (_("State"), badge(state.get_state_display(), STATE[state.state])),
        (_("Trigger"), last.get_trigger_display() if last else _("Initial state")),
        (_("Since"), format_datetime(last.created_at if last else state.created_at)),
        (_("Last active"), format_datetime(state.last_activity_at)),
    ]
    if state.goodbye_expires_at:
        lines.append((_("Reply expected until"), format_datetime(state.goodbye_expires_at)))
    elif state.state == State.GOODBYE_SENT:
        lines.append((_("Reply expected until"), _("Not sent yet")))
    if state.remind_at:
        lines.append((_("Snoozed until"), format_datetime(state.remind_at)))
    if state.reminder_expires_at:
        lines.append((_("Reply to the reminder expected until"), format_datetime(state.reminder_expires_at)))
    lines += [(_("Next goodbye"), explain_next_goodbye(state)), (_("Weekly review"), explain_weekly_review(state))]
    return lines


def _channel_lines(profile: UserProfile) -> list[Line]:
    """Return the order of the channels, and the one that works now, on a site with several."""
    if not (site := site_channels()):
        return []
    order = join_parts([str(Channel(each).label) for each in profile.channels or site])
    found = route_to(profile.pk)
    now = f"{Channel(found[0]).label}: {found[1]}" if found else format_block_reason("unreachable")
    return [
        (_("Channels"), order if profile.channels else _("{order} (of the site)").format(order=order)),
        (_("Now by"), now),
    ]


def _profile_lines(profile: UserProfile) -> list[Line]:
    return [
        (_("Messages go to"), profile.get_preferred_destination_display()),
        *_channel_lines(profile),
        (_("Opted out"), _("yes") if profile.reengagement_opt_out else _("no")),
        (_("Unwanted topics"), format_topics(profile.muted_topics)),
        (_("Language"), profile.get_locale_display()),
        (_("Time zone"), profile.timezone),
        (_("Individual address"), profile.individual_jid or _("unknown")),
        (_("Group address"), profile.group_jid or _("unknown")),
        (_("Onboarding"), format_tier(profile)),
        *format_progress(profile),
        (_("Magic moment"), format_datetime(profile.magic_moment_at)),
    ]


def _address_lines(rows: Iterable[MemberAddress]) -> list[Line]:
    return [(row.get_channel_display(), format_html("{} {}", row.address, format_verified(row))) for row in rows]


def format_verified(row: MemberAddress) -> str:
    """Return a badge: whether it is proven that an address belongs to its member."""
    if row.verified_at:
        return badge(_("Verified"), "success")
    return badge(_("Not verified"), "warning")


def _bounced_lines(rows: Iterable[BouncedAddress]) -> list[Line]:
    return [
        (_("Bounced address"), format_html("{} {} {}", link_to(row, row.address), format_status(row), row.detail))
        for row in rows
    ]


ENGAGEMENT_OF_MEMBER = CustomTab(
    name="engagement",
    title=_("Engagement"),
    template="engagement/member.html",
    context=_engagement,
    permission=VIEW_STATES,
)
register_tab(Member, ENGAGEMENT_OF_MEMBER, order=10)
