"""What this app adds to the timeline of a person: their work on boards and proposals."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from fallback.admin.formats import EVENT_LABELS
from fallback.models import MissionEvent
from fallback.selectors.rights import EVERY_PROJECT
from missionsite.common.admin.formats import link_to
from missionsite.common.admin.timeline import Entry, Source, register_timeline
from missionsite.common.audit.events import event_label


def _event(event: MissionEvent) -> Entry:
    label = EVENT_LABELS.get(event.type) or event_label(event.type)
    about = link_to(event.mission or event.project)
    return Entry(event.occurred_at, format_html("{}: {}", label, about), event.project.name if event.mission else "")


register_timeline(
    Source(
        name="board",
        title=_("Board work"),
        icon="view_kanban",
        # Others see only some projects, and each entry names one.
        permission=EVERY_PROJECT,
        rows=lambda person: MissionEvent.objects.filter(actor=person.pk).select_related("mission", "project"),
        instant="occurred_at",
        entry=_event,
    ),
    order=60,
)
