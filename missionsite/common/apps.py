from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

AUDIT_LABELS = {
    "audit.deleted": _("Old audit entries deleted"),
    "audit.erased": _("Person erased from the audit"),
    "bulk_edit.cancelled": _("Bulk edit cancelled"),
    "bulk_edit.ended": _("Bulk edit ended"),
    "bulk_edit.started": _("Bulk edit started"),
    "bulk_edit.undone": _("Undo of a bulk edit started"),
    "retention.completed": _("Retention rule applied"),
    "retention.failed": _("Retention rule failed"),
    "retention.started": _("Retention rule started by hand"),
    "row.added": _("Row added"),
    "row.changed": _("Row changed"),
    "row.deleted": _("Row deleted"),
}

AUDIT_FIELDS = {
    "rule": _("Rule"),
    "due": _("Due"),
    "list_name": _("List"),
    "fields": _("Fields"),
    "outcome": _("Outcome"),
    "changed_rows": _("Changed rows"),
    "rejected": _("Rejected"),
}


class CommonConfig(AppConfig):
    name = "missionsite.common"
    label = "common"
    verbose_name = _("Access")

    def ready(self) -> None:
        from missionsite.common import checks, hardening  # noqa: F401  (registers the system checks)
        from missionsite.common.accounts import openid, receivers
        from missionsite.common.audit import injection, sources
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.audit.security import SECURITY_LABELS
        from missionsite.common.audit.sources import register_audited_log, register_audited_rows
        from missionsite.common.bulk_edits import LOG_KEPT, delete_old_bulk_edit_rows, old_bulk_edit_rows
        from missionsite.common.retention import RetentionRule, register_rule, register_site_rules

        injection.install()
        sources.connect()
        hardening.connect()
        receivers.connect()
        openid.connect()
        register_event_labels(
            SECURITY_LABELS,
            {
                "method": _("Method"),
                "route": _("Address"),
                "file": _("File"),
                "reason": _("Reason"),
                "factor": _("Factor"),
            },
            app=self.label,
        )
        register_event_labels(
            {"token.created": _("API token created"), "token.revoked": _("API token revoked")},
            {"name": _("Name"), "scopes": _("Scopes")},
            hidden=("token",),
            app=self.label,
        )
        register_event_labels(AUDIT_LABELS, AUDIT_FIELDS, hidden=("edit",), app=self.label)
        register_audited_log("common", "security_events")
        register_audited_rows("common.RoleRequirement")
        register_audited_rows("common.ApiToken", without=("name", "digest", "last_used_at"))
        register_site_rules()
        register_rule(
            RetentionRule(
                name="bulk_edits",
                label=_("Logs of bulk edits"),
                kept=LOG_KEPT,
                counted_from=_("the end of the edit"),
                effect=_("Deleted. The edit itself remains, and so does the history of the rows."),
                due=old_bulk_edit_rows,
                treat=delete_old_bulk_edit_rows,
            )
        )
