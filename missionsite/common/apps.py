from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommonConfig(AppConfig):
    name = "missionsite.common"
    label = "common"
    verbose_name = _("Access")

    def ready(self) -> None:
        from missionsite.common import checks, hardening  # noqa: F401  (registers the system checks)
        from missionsite.common.accounts import receivers
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.audit.security import SECURITY_LABELS

        hardening.connect()
        receivers.connect()
        register_event_labels(
            SECURITY_LABELS,
            {
                "method": _("Method"),
                "route": _("Address"),
                "file": _("File"),
                "reason": _("Reason"),
                "factor": _("Factor"),
            },
        )
        register_event_labels(
            {"token.created": _("API token created"), "token.revoked": _("API token revoked")},
            {"name": _("Name"), "scopes": _("Scopes")},
            hidden=("token",),
        )
