"""History of client missions and of their definition of done."""

from typing import Any

from django.db import models

from missiondeck.models.checklist import DodItem
from missiondeck.models.missions import DeckMission
from missionsite.common.audit.history import history_of

# Any: pghistory makes these classes at run time.
MissionChange: Any = history_of(DeckMission)
ItemChange: Any = history_of(DodItem)


class DeckMissionHistory(MissionChange):
    """Changes of client missions."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "deck_missions_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="deck_missions_history_of")]


class DodItemHistory(ItemChange):
    """Changes of the definition of done."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "dod_items_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="dod_items_history_of")]
