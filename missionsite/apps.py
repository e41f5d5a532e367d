from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissionsiteConfig(AppConfig):
    name = "missionsite"
    verbose_name = _("Access")

    def ready(self) -> None:
        from missionsite import metrics, roles
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.metrics import register_collector

        roles.connect()
        register_collector(metrics.collect)
        register_event_labels({"role.changed": _("Role edited"), "role.created": _("Role created")})
