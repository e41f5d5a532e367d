"""The labels of the event types of this app in the log of the community."""

from django.utils.translation import gettext_lazy as _

EVENT_LABELS = {
    "notification.created": _("Notification created"),
    "organization.changed": _("Organisation edited"),
    "organization.created": _("Organisation created"),
    "organization.role_set": _("Role in the organisation set"),
}
