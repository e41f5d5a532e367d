"""Texts of messages in which people may be named."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from missionsite.common.mentions import FreeText

FREE_TEXTS = (
    FreeText(
        "engagement.Announcement",
        _("Announcements"),
        ("title",),
        lambda announcement: reverse("admin:engagement_announcement_change", args=[announcement.pk]),
        "engagement.view_announcement",
    ),
    FreeText(
        "engagement.MessageTemplate",
        _("Message templates"),
        ("subject", "body"),
        lambda template: reverse("admin:engagement_messagetemplate_change", args=[template.pk]),
        "engagement.view_messagetemplate",
    ),
    FreeText(
        "engagement.UnassignedMessage",
        _("Unassigned messages"),
        ("text", "sender_name", "sender"),
        lambda message: reverse("admin:engagement_unassignedmessage_change", args=[message.pk]),
        "engagement.view_unassignedmessage",
    ),
    FreeText(
        "engagement.EngagementMessage",
        _("Messages to others"),
        ("message_params",),
        lambda message: reverse("admin:engagement_engagementmessage_change", args=[message.pk]),
        "engagement.view_engagementmessage",
        ("user",),
    ),
)
