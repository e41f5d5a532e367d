from django.apps import AppConfig


class MissiondeckConfig(AppConfig):
    name = "missiondeck"
    verbose_name = "Mission deck"
