from django.apps import AppConfig


class MissionsiteConfig(AppConfig):
    name = "missionsite"
    verbose_name = "Missionsite"

    def ready(self) -> None:
        from missionsite import roles

        roles.connect()
