from django.apps import AppConfig


class CommunityConfig(AppConfig):
    """No tables: templates, static files and translations are found because this is an app."""

    name = "missionsite.portal"
    label = "community"
