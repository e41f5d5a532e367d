"""What this app adds to the overview of a person: the lifecycle state, and the next message."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from engagement.admin.base import STATE, VIEW_STATES
from engagement.admin.next_messages import explain_next_goodbye
from engagement.admin.waiting import explain_waiting
from engagement.models import EngagementMessage, UserEngagementState, UserProfile
from engagement.rules import Status
from groups.models import Member
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.admin.overview import Section, register_section


def _engagement(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm(VIEW_STATES):
        return None
    state = UserEngagementState.objects.select_related("user").filter(user=person.pk).first()
    if state is None:
        return None
    profile = UserProfile.objects.filter(pk=person.pk).first()
    upcoming = EngagementMessage.objects.filter(user=person.pk, status=Status.PENDING)
    message = upcoming.order_by("scheduled_for", "pk").first()
    waits = explain_waiting(message, profile=profile, at=timezone.now()) if message else ""
    return Section(
        _("Engagement"),
        lines=[
            (_("State"), badge(state.get_state_display(), STATE[state.state])),
            (_("Last active"), format_datetime(state.last_activity_at)),
            (_("Next goodbye"), explain_next_goodbye(state)),
            (_("Next message"), link_to(message, message.get_message_type_display()) if message else ""),
            *([(_("Why it waits"), waits)] if waits else []),
        ],
        links=[(_("All about engagement"), reverse("admin:groups_member_engagement", args=[person.pk]))],
    )


register_section(_engagement, order=20)
