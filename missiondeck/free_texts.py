"""Texts of client missions in which people may be named. Each is shown on the workspace of its mission."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from missionsite.common.mentions import FreeText

VIEW = "missiondeck.view_deckmission"


def _workspace(row: Any) -> str:
    return reverse("admin:missiondeck_workspace", args=[row.mission_id])


FREE_TEXTS = (
    FreeText(
        "missiondeck.DeckMission",
        _("Client missions"),
        ("title", "client", "override_reason"),
        lambda mission: reverse("admin:missiondeck_workspace", args=[mission.pk]),
        VIEW,
    ),
    FreeText(
        "missiondeck.ChatMessage",
        _("Chats of client missions"),
        ("message", "author_name"),
        lambda message: f"{_workspace(message)}?citizen={message.citizen}",
        VIEW,
    ),
    FreeText(
        "missiondeck.DeckCost",
        _("Notes of costs"),
        ("note",),
        lambda cost: reverse("admin:missiondeck_workspace_budget", args=[cost.mission_id]),
        VIEW,
    ),
    FreeText("missiondeck.DodItem", _("Items of checklists"), ("text",), _workspace, VIEW),
    FreeText(
        "missiondeck.DodComment",
        _("Comments on items of checklists"),
        ("text",),
        lambda comment: f"{_workspace(comment.item)}?comments={comment.item_id}",
        VIEW,
        related=("item",),
    ),
    FreeText("missiondeck.DeckStatusChange", _("Reasons of status changes"), ("reason",), _workspace, VIEW),
)
