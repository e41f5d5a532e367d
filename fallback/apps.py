from datetime import date

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# The models whose rows are audited, and the columns that jobs and triggers set.
AUDITED: dict[str, tuple[str, ...]] = {
    "Organization": (),
    "OrganizationMembership": (),
    "Project": (),
    "ProjectMember": (),
    "ProjectRepository": ("synced_at", "sync_error", "sync_retry_at"),
    "Flow": (),
    "Actor": (),
    "MissionFallbackConfig": ("last_run_at",),
    "MissionFallbackTemplate": ("last_scheduled_on", "edited_at"),
    "TemplateCopy": ("content",),
    "NotificationPreference": (),
    "NotificationSettings": (),
    "MissionFallbackItem": ("counted_week", "counted_month", "reviewer_token"),
    "MemberAbsence": (),
    "MissionAssignment": (),
    "MissionDependency": (),
    # Without the texts, which are erased with their author.
    "AccessRequest": ("message",),
    "MissionComment": ("body",),
    "Workstation": ("status", "last_seen_at"),
    "ProjectWorkstation": (),
    "Mission": ("dependency_count", "open_dependency_count", "last_event_at", "reviewer_token"),
}


class FallbackConfig(AppConfig):
    name = "fallback"
    verbose_name = _("Projects & fallback")
    # After the last run and decision of the examples; see loaddata.
    seeds_end_on = date(2026, 11, 10)

    def ready(self) -> None:
        from fallback.event_labels import EVENT_FIELDS, EVENT_LABELS, HIDDEN_FIELDS
        from fallback.free_texts import FREE_TEXTS
        from fallback.own_data import register as register_own_data
        from fallback.references import register
        from fallback.services.audit import write_activity
        from fallback.services.notifications import notify
        from fallback.services.pull_requests import link_pull_request
        from fallback.services.retention import register_rules
        from missionsite.common.audit.events import register_event_labels, register_log
        from missionsite.common.audit.sources import register_audited_log, register_audited_rows
        from missionsite.common.interfaces import register_link_pull_request, register_notify
        from missionsite.common.mentions import register_free_texts

        register_log(write_activity, link="project")
        register_notify(notify)
        register()
        register_own_data()
        register_link_pull_request(link_pull_request)
        register_rules()
        register_event_labels(EVENT_LABELS, EVENT_FIELDS, HIDDEN_FIELDS, app=self.label)
        register_audited_log("fallback", "project_activity")
        for model, without in AUDITED.items():
            register_audited_rows(f"fallback.{model}", without=without)
        register_free_texts(*FREE_TEXTS)
