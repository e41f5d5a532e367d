"""Texts of groups in which people may be named."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from groups.models import Note
from missionsite.common.mentions import FreeText


def _page_of_note(note: Note) -> str:
    """Return the address of the notes that a note is among."""
    if note.group_id:
        return reverse("admin:groups_group_change", args=[note.group_id])
    if note.entry_id:
        return reverse("admin:groups_communitymember_notes", args=[note.entry_id])
    return reverse("admin:groups_member_notes", args=[note.member_id])


FREE_TEXTS = (
    FreeText(
        "groups.Task",
        _("Tasks"),
        ("title", "description"),
        lambda task: reverse("admin:groups_task_change", args=[task.pk]),
        "groups.view_task",
    ),
    FreeText(
        "groups.Group",
        _("Missions and colonies"),
        ("name", "description"),
        lambda group: reverse("admin:groups_group_change", args=[group.pk]),
        "groups.view_group",
    ),
    FreeText(
        "groups.JoinRequest",
        _("Join requests"),
        ("message", "reason"),
        lambda request: reverse("admin:groups_joinrequest_change", args=[request.pk]),
        "groups.view_joinrequest",
        ("member",),
    ),
    FreeText(
        "groups.MemberRelationship",
        _("Notes on relationships"),
        ("content",),
        lambda relationship: reverse("admin:groups_memberrelationship_change", args=[relationship.pk]),
        "groups.view_memberrelationship",
    ),
    FreeText(
        "groups.Note",
        _("Notes"),
        ("text",),
        _page_of_note,
        "groups.view_member",
        ("member",),
    ),
    FreeText(
        "groups.Event",
        _("Events"),
        ("payload",),
        lambda event: reverse("admin:groups_event_change", args=[event.pk]),
        "groups.view_event",
        ("actor", "member", "group"),
    ),
)
