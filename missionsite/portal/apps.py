from django.apps import AppConfig


class PortalConfig(AppConfig):
    """No tables: templates, static files and translations are found because this is an app."""

    name = "missionsite.portal"
    label = "portal"
