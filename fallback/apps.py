from datetime import date

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FallbackConfig(AppConfig):
    name = "fallback"
    verbose_name = _("Projects & fallback")
    # After the last run and decision of the examples; see loaddata.
    seeds_end_on = date(2026, 11, 10)

    def ready(self) -> None:
        from fallback.event_labels import EVENT_FIELDS, EVENT_LABELS, HIDDEN_FIELDS
        from fallback.references import register
        from fallback.services.audit import write_activity
        from fallback.services.notifications import notify
        from fallback.services.pull_requests import link_pull_request
        from missionsite.common.audit.events import register_event_labels, register_log
        from missionsite.common.interfaces import register_link_pull_request, register_notify

        register_log(write_activity, link="project")
        register_notify(notify)
        register()
        register_link_pull_request(link_pull_request)
        register_event_labels(EVENT_LABELS, EVENT_FIELDS, HIDDEN_FIELDS)
