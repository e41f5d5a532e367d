"""What this app adds to the timeline of a person: events, participation, and what the person did to others."""

from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Event, MemberParticipation
from missionsite.common.admin.formats import link_to
from missionsite.common.admin.timeline import Entry, Source, register_timeline
from missionsite.common.audit.events import event_label, event_summary


def _event(event: Event) -> Entry:
    """An event of the person, with who caused it if someone else did."""
    text = event_label(event.type)
    if event.group:
        text = format_html("{}: {}", text, link_to(event.group))
    if event.actor and event.actor_id != event.member_id:
        text = format_html("{} · {} {}", text, gettext("by"), link_to(event.actor))
    return Entry(event.occurred_at, text, event_summary(event.payload))


def _work(event: Event) -> Entry:
    """Something that the person did."""
    text = event_label(event.type)
    if event.member or event.group:
        text = format_html("{}: {}", text, link_to(event.member or event.group))
    return Entry(event.occurred_at, text, event_summary(event.payload))


def _participation(row: MemberParticipation) -> Entry:
    return Entry(row.occurred_at, f"{row.get_event_type_display()} · {row.get_platform_display()}", row.room_id)


register_timeline(
    Source(
        name="community",
        title=_("Memberships and directory"),
        icon="badge",
        permission="groups.view_event",
        rows=lambda person: Event.objects.filter(member=person.pk).select_related("actor", "group"),
        instant="occurred_at",
        entry=_event,
    ),
    order=10,
)
register_timeline(
    Source(
        name="participation",
        title=_("Participation"),
        icon="forum",
        permission="groups.view_memberparticipation",
        rows=lambda person: MemberParticipation.objects.filter(member__person=person.pk),
        instant="occurred_at",
        entry=_participation,
    ),
    order=40,
)
register_timeline(
    Source(
        name="work",
        title=_("Work"),
        icon="engineering",
        permission="groups.view_event",
        # Events about the person are of the first kind.
        rows=lambda person: (
            Event.objects.filter(actor=person.pk).exclude(member=person.pk).select_related("member", "group")
        ),
        instant="occurred_at",
        entry=_work,
    ),
    order=50,
)
