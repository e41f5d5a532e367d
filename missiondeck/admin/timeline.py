"""What this app adds to the timeline of a person: their work on client missions."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from missiondeck.admin import base
from missiondeck.models import DeckStatusChange
from missionsite.common.admin.timeline import Entry, Source, register_timeline


def _change(change: DeckStatusChange) -> Entry:
    text = format_html("{}: {}", base.mission_link(change.mission), change.get_to_status_display())
    return Entry(change.created_at, text, change.reason)


register_timeline(
    Source(
        name="client-missions",
        title=_("Client missions"),
        icon="work",
        permission=base.VIEW_PERMISSION,
        rows=lambda person: DeckStatusChange.objects.filter(by=person.pk).select_related("mission"),
        instant="created_at",
        entry=_change,
    ),
    order=70,
)
