"""The labels of the event types of this app in the log of the community."""

from django.utils.translation import gettext_lazy as _

from missiondeck.models.choices import ChatSender
from missionsite.common.audit.events import EventField

EVENT_LABELS = {
    "calendar_feed.created": _("Calendar feed created"),
    "calendar_feed.revoked": _("Calendar feed revoked"),
    "chat_message.created": _("Chat message added"),
    "citizen.changed": _("Citizen changed"),
    "citizen.created": _("Citizen added"),
    "client_code.sent": _("Code sent to a client"),
    "client_comment.created": _("Comment of a client"),
    "client_link.created": _("Link for a client created"),
    "client_link.revoked": _("Link for a client revoked"),
    "client_signature.created": _("Delivery signed by the client"),
    "deck_cost.created": _("Cost of a mission recorded"),
    "deck_cost.removed": _("Cost of a mission removed"),
    "deck_delivery.resent": _("Delivery sent again"),
    "deck_test.owner_changed": _("Owner of a test changed"),
    "deck_test.quarantine_lifted": _("Quarantine of a test lifted"),
    "deck_test.quarantined": _("Test put in quarantine"),
    "dod_comment.created": _("Comment on an item added"),
    "dod_evidence.added": _("Evidence added"),
    "dod_evidence.removed": _("Evidence removed"),
    "dod_evidence.signature_withdrawn": _("Signature withdrawn"),
    "dod_evidence.signed": _("Sign-off signed"),
    "deck_webhook.created": _("Webhook created"),
    "deck_webhook.revoked": _("Webhook revoked"),
    "dod_template.applied": _("Template of a definition of done applied"),
    "dod_template.changed": _("Template of a definition of done changed"),
    "dod_template.created": _("Template of a definition of done added"),
    "deckmission.reverted": _("Client mission change reverted"),
    "test_gate.baseline_confirmed": _("Baseline of tests confirmed"),
    "test_gate.rules_changed": _("Rules of a gate changed"),
    "test_gate.vanished_confirmed": _("Vanished tests confirmed"),
    "test_run.finished": _("Test run finished"),
    "test_run.given_up": _("Test run given up"),
    "test_run.imported": _("Test run imported"),
    "test_run.started": _("Test run started"),
}

EVENT_FIELDS: dict[str, EventField] = {
    "amount_cents": _("Amount in cents"),
    "currency": _("Currency"),
    "minutes": _("Minutes"),
    "citizen": _("Citizen"),
    "client_mission": _("Client mission"),
    "issue_url": _("Issue"),
    "item": _("Item"),
    "items": _("Items"),
    "max_age_days": _("Maximum age in days"),
    "max_failures": _("Maximum failures"),
    "min_tests": _("Minimum tests"),
    "quarantined_until": _("In quarantine until"),
    "required_suites": _("Required suites"),
    "sender": (_("Author"), ChatSender),
    "test": _("Test"),
    "tests": _("Tests"),
    "value": _("Value"),
}
# Keys of rows.
HIDDEN_FIELDS = ("cost", "delivery", "feed", "link", "run", "template", "webhook")
