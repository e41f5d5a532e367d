from django.apps import AppConfig


class PortalConfig(AppConfig):
    """An app without models, for its templates, static files and translations."""

    name = "missionsite.portal"
    label = "portal"
