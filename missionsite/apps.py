from functools import partial

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissionsiteConfig(AppConfig):
    name = "missionsite"
    verbose_name = _("Access")

    def ready(self) -> None:
        from missionsite import metrics, roles, telemetry
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.metrics import register_collector
        from missionsite.common.references import Moves, register_references
        from missionsite.common.worker.process import register_start

        roles.connect()
        register_references(Moves("missionsite.Favourite", "member", unless=("path",)))
        register_collector(metrics.collect)
        register_start(partial(telemetry.start, "missionsite-worker"))
        register_event_labels(
            {"role.changed": _("Role edited"), "role.created": _("Role created")},
            {"second_factor": _("Second factor required")},
            app=self.label,
        )
