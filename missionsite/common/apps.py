from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "missionsite.common"
    label = "common"
    verbose_name = "Access"

    def ready(self) -> None:
        from missionsite.common import checks  # noqa: F401  (registers the system checks)
