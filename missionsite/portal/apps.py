from django.apps import AppConfig


class PortalConfig(AppConfig):
    """An app without models, for its templates, static files and translations."""

    name = "missionsite.portal"
    label = "portal"

    def ready(self) -> None:
        from groups.signals import event_recorded
        from missionsite.portal.notices import on_event

        event_recorded.connect(on_event, dispatch_uid="portal.notices")
