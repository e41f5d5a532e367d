"""The labels of the event types of this app in the log of the community."""

from django.utils.translation import gettext_lazy as _

EVENT_LABELS = {
    "announcement.cancelled": _("Announcement cancelled"),
    "announcement.made": _("Announcement created"),
    "message.cancelled": _("Message cancelled"),
    "message.postponed": _("Message postponed"),
    "message.retried": _("Message sent again"),
    "profile.changed": _("Engagement profile edited"),
    "profile.step_completed": _("Onboarding step completed"),
    "template.changed": _("Message template edited"),
    "template.created": _("Message template added"),
}
