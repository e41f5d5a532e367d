from collections.abc import Iterable
from datetime import date

from django.apps import AppConfig
from django.db.models import Model
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class EngagementConfig(AppConfig):
    name = "engagement"
    verbose_name = _("Engagement")
    # `loaddata seeds` shifts the dates of its rows relative to this day.
    seeds_written_on = date(2026, 11, 21)

    def ready(self) -> None:
        from engagement.event_labels import EVENT_FIELDS, EVENT_LABELS
        from engagement.free_texts import FREE_TEXTS
        from engagement.own_data import register as register_own_data
        from engagement.receivers import connect
        from engagement.references import register
        from engagement.services.default_phrases import create_default_phrases
        from engagement.services.default_sequences import create_default_sequences
        from engagement.services.default_texts import create_default_texts
        from engagement.services.unassigned import register_retention
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.audit.sources import register_audited_log, register_audited_rows
        from missionsite.common.mentions import register_free_texts

        connect()
        register()
        register_retention()
        register_own_data()
        register_event_labels(EVENT_LABELS, EVENT_FIELDS, app=self.label)
        register_audited_log("engagement", "engagement_state_transitions")
        # Without the address and the provider's text, which has it.
        register_audited_rows("engagement.BouncedAddress", without=("address", "detail", "soft_bounces"))
        register_audited_rows("engagement.Sequence")
        register_audited_rows("engagement.SequenceStep")
        # Without what is counted while it is sent.
        register_audited_rows("engagement.Announcement", without=("recipients", "skipped", "waiting_ids"))
        register_free_texts(*FREE_TEXTS)
        post_migrate.connect(create_default_texts, sender=self, dispatch_uid="engagement.default_texts")
        post_migrate.connect(create_default_sequences, sender=self, dispatch_uid="engagement.default_sequences")
        post_migrate.connect(create_default_phrases, sender=self, dispatch_uid="engagement.default_phrases")

    def seeds_loaded(self, rows: Iterable[Model]) -> None:
        """Record the events of example data."""
        from engagement.models import Announcement
        from groups.services.examples import example, write

        write(
            example(
                "announcement.made", row.created_at, actor=row.created_by, title=row.title, recipients=row.recipients
            )
            for row in rows
            if isinstance(row, Announcement)
        )
