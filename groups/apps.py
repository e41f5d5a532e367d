from collections.abc import Iterable
from datetime import date

from django.apps import AppConfig
from django.db.models import Model
from django.db.models.signals import pre_migrate
from django.utils.translation import gettext_lazy as _


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = _("People & missions")
    # `loaddata seeds` shifts dates by the days since this one.
    seeds_written_on = date(2026, 11, 21)
    # Numbers that may be taken by other rows; then the example row gets the next one.
    seeds_numbered = {
        "member": "member_id",
        "communitymember": "member_id",
        "group": "stable_id",
        "task": "stable_id",
    }

    def ready(self) -> None:
        from groups.event_labels import EVENT_FIELDS, EVENT_LABELS, HIDDEN_FIELDS
        from groups.free_texts import FREE_TEXTS
        from groups.own_data import register as register_own_data
        from groups.references import register
        from groups.rollback import before_migrate
        from groups.services.events import write_event
        from missionsite.common.audit.events import register_event_labels, register_log
        from missionsite.common.audit.identities import register_audit_identity
        from missionsite.common.audit.sources import register_audited_log, register_audited_rows, register_erasure
        from missionsite.common.mentions import register_free_texts

        pre_migrate.connect(before_migrate, sender=self, dispatch_uid="groups.rollback")
        register_log(write_event)
        register()
        register_own_data()
        register_event_labels(EVENT_LABELS, EVENT_FIELDS, HIDDEN_FIELDS, app=self.label)
        register_audit_identity("groups.member", "member_id")
        register_audit_identity("groups.group", "stable_id")
        register_audit_identity("groups.task", "stable_id")
        register_audit_identity("groups.communitymember", "member_id")
        register_audited_log("groups", "events")
        # Without texts, addresses and what merges record.
        register_audited_rows("groups.JoinRequest", without=("message", "reason"))
        register_audited_rows(
            "groups.CommunityReturn", without=("name", "email", "telegram_id", "details", "link_digest")
        )
        # Rights, which events have only if a service changed them.
        for model in ("groups.Member_groups", "groups.Member_user_permissions", "auth.Group", "auth.Group_permissions"):
            register_audited_rows(model)
        register_erasure("community_members", "groups.communitymember")
        register_free_texts(*FREE_TEXTS)

    def seeds_loaded(self, rows: Iterable[Model]) -> None:
        """Write the events of example data."""
        from groups.services.examples import write_events

        write_events(rows)
