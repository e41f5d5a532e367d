"""Texts of projects in which people may be named."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from missionsite.common.mentions import FreeText

FREE_TEXTS = (
    FreeText(
        "fallback.Project",
        _("Projects"),
        ("name", "description"),
        lambda project: reverse("admin:fallback_project_change", args=[project.pk]),
        "fallback.every_project",
    ),
    FreeText(
        "fallback.Mission",
        _("Missions on boards"),
        ("title", "description", "clarification", "review_feedback"),
        lambda mission: reverse("admin:fallback_mission_change", args=[mission.pk]),
        "fallback.every_project",
    ),
    FreeText(
        "fallback.MissionDocumentVersion",
        _("Documents of missions"),
        ("content",),
        lambda version: (
            f"{reverse('admin:fallback_mission_documents', args=[version.mission_id])}"
            f"?document={version.name}&version={version.version}"
        ),
        "fallback.every_project",
    ),
    FreeText(
        "fallback.MissionComment",
        _("Comments"),
        ("body",),
        lambda comment: (
            reverse("admin:fallback_mission_comments", args=[comment.mission_id])
            if comment.mission_id
            else reverse("admin:fallback_missionfallbackitem_comments", args=[comment.item_id])
        ),
        "fallback.every_project",
    ),
    FreeText(
        "fallback.MissionFallbackItem",
        _("Proposals"),
        ("title", "description", "feedback"),
        lambda item: reverse("admin:fallback_missionfallbackitem_change", args=[item.pk]),
        "fallback.every_project",
    ),
)
