from django.apps import AppConfig


class FallbackConfig(AppConfig):
    name = "fallback"
    verbose_name = "Projects & fallback"

    def ready(self) -> None:
        from fallback.services.audit import write_activity
        from missionsite.common.audit.events import register_log

        register_log(write_activity, link="project")
