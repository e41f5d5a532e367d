from django.apps import AppConfig


class MissionsiteConfig(AppConfig):
    name = "missionsite"
    verbose_name = "Missionsite"
