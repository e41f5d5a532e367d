"""How the rows of this app move when two people are merged: what is assigned to them."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.references import Moves, Stays, register_references

FACT = _("It says who did something at that time.")


def register() -> None:
    register_references(
        Moves("missiondeck.DeckMission", "assignee"),
        Moves("missiondeck.DeckFeed", "member"),
        Moves("missiondeck.DeckTest", "owner"),
        *(
            Stays(f"missiondeck.{model}", field, FACT)
            for model, field in (
                ("ChatMessage", "author"),
                ("DodComment", "author"),
                ("DeckCost", "author"),
                ("DodItem", "completed_by"),
                ("DeckMission", "completed_by"),
                ("DeckStatusChange", "by"),
                ("GateBaseline", "by"),
                ("VanishedTest", "by"),
                ("DeckMissionHistory", "assignee"),
                ("DeckMissionHistory", "completed_by"),
                ("DodItemHistory", "completed_by"),
                ("TestRun", "created_by"),
                ("DeckTest", "quarantined_by"),
                ("Evidence", "signed_by"),
                ("EvidenceFile", "added_by"),
                ("ClientLink", "created_by"),
                ("Webhook", "created_by"),
            )
        ),
    )
