"""What this app adds to the timeline of a person: transitions and sent messages."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from engagement.admin.base import STATUS, VIEW_STATES, format_details
from engagement.models import EngagementMessage, EngagementStateTransition
from missionsite.common.admin.formats import badge, link_to
from missionsite.common.admin.timeline import Entry, Source, register_timeline


def _transition(move: EngagementStateTransition) -> Entry:
    return Entry(move.created_at, format_html("{} · {}", str(move), move.get_trigger_display()), format_details(move))


def _message(message: EngagementMessage) -> Entry:
    text = link_to(message, message.get_message_type_display())
    shown = badge(message.get_status_display(), STATUS[message.status])
    return Entry(message.created_at, format_html("{} {}", text, shown), message.error_message)


register_timeline(
    Source(
        name="lifecycle",
        title=_("Lifecycle"),
        icon="schema",
        permission=VIEW_STATES,
        rows=lambda person: EngagementStateTransition.objects.filter(user=person.pk),
        instant="created_at",
        entry=_transition,
    ),
    order=20,
)
register_timeline(
    Source(
        name="messages",
        title=_("Messages"),
        icon="outgoing_mail",
        permission="engagement.view_engagementmessage",
        rows=lambda person: EngagementMessage.objects.filter(user=person.pk),
        instant="created_at",
        entry=_message,
    ),
    order=30,
)
