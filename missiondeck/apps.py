from datetime import date

from django.apps import AppConfig


class MissiondeckConfig(AppConfig):
    name = "missiondeck"
    verbose_name = "Mission deck"
    # `loaddata seeds` shifts dates relative to this day: mission 47 is one day late, 48 is due the next day.
    seeds_written_on = date(2025, 11, 9)
    seeds_numbered = {"deckmission": "number"}

    def ready(self) -> None:
        from missiondeck.event_labels import EVENT_LABELS
        from missionsite.common.audit.events import register_event_labels

        register_event_labels(EVENT_LABELS)
