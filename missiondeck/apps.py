from datetime import date

from django.apps import AppConfig


class MissiondeckConfig(AppConfig):
    name = "missiondeck"
    verbose_name = "Mission deck"
    # What `loaddata seeds` brings is as old as on this day: mission 47 is one day late, 48 is due the next.
    seeds_written_on = date(2025, 11, 9)
    seeds_numbered = {"deckmission": "number"}
