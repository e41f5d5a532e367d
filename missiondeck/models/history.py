"""History of client missions and of their definition of done."""

from django.db import models

from missiondeck.models.checklist import DodItem
from missiondeck.models.missions import DeckMission
from missionsite.common.audit.history import history_of


class DeckMissionHistory(history_of(DeckMission)):
    """Changes of client missions."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "deck_missions_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="deck_missions_history_of")]


class DodItemHistory(history_of(DodItem)):
    """Changes of the definition of done."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "dod_items_history"
        indexes = [models.Index(fields=["pgh_obj", "-pgh_id"], name="dod_items_history_of")]
