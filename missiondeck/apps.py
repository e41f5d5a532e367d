from datetime import date

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissiondeckConfig(AppConfig):
    name = "missiondeck"
    verbose_name = _("Mission deck")
    # `loaddata seeds` shifts dates relative to this day: mission 47 is one day late, 48 is due the next day.
    seeds_written_on = date(2025, 11, 9)
    seeds_numbered = {"deckmission": "number"}

    def ready(self) -> None:
        from missiondeck.event_labels import EVENT_FIELDS, EVENT_LABELS, HIDDEN_FIELDS
        from missiondeck.free_texts import FREE_TEXTS
        from missiondeck.models.choices import NoticeKind
        from missiondeck.own_data import register as register_own_data
        from missiondeck.references import register
        from missiondeck.services.evidence_checks import request_checks
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.audit.identities import register_audit_identity
        from missionsite.common.audit.sources import register_audited_log, register_audited_rows
        from missionsite.common.interfaces import register_check_pull_requests, register_notification_kinds
        from missionsite.common.mentions import register_free_texts

        register()
        register_own_data()
        register_event_labels(EVENT_LABELS, EVENT_FIELDS, HIDDEN_FIELDS, app=self.label)
        register_check_pull_requests(request_checks)
        register_audit_identity("missiondeck.deckmission", "number")
        register_audited_log("missiondeck", "deck_status_changes")
        # The log above has changes of the status; the address of the assignee is personal data.
        without = ("status", "assigned_to", "completed_at", "completed_by", "override_reason", "number")
        register_audited_rows("missiondeck.DeckMission", without=without, key="number")
        register_audited_rows("missiondeck.DodItem", without=("completed_at",))
        register_audited_rows("missiondeck.GateRules")
        # Without what runs and checks find.
        found = ("state", "run", "checked_at", "observed", "observed_at", "detail")
        register_audited_rows("missiondeck.Evidence", without=found)
        register_audited_rows("missiondeck.DeckTest")
        # Without addresses, notes and digests.
        register_audited_rows("missiondeck.ClientLink", without=("name", "email", "digest", "last_read_at"))
        register_audited_rows("missiondeck.DeckFeed", without=("name", "digest", "last_read_at"))
        register_audited_rows("missiondeck.Webhook", without=("url",))
        register_audited_rows("missiondeck.DeckCost", without=("note",))
        for model in ("Citizen", "DodTemplate", "GateBaseline", "VanishedTest"):
            register_audited_rows(f"missiondeck.{model}")
        register_free_texts(*FREE_TEXTS)
        silent = (NoticeKind.RUN_STARTED, NoticeKind.RUN_PASSED)
        register_notification_kinds({f"deck.{kind}": kind.label for kind in NoticeKind if kind not in silent})
