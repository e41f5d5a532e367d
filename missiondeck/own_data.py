"""What the export of a member's own data has from this app: client missions are about clients."""

from missionsite.common.own_data import NamedIn, OwnRows, register_own_data


def register() -> None:
    register_own_data(
        OwnRows("missiondeck.DeckFeed", "member"),
        *(
            NamedIn(f"missiondeck.{model}", field)
            for model, field in (
                ("ChatMessage", "author"),
                ("ClientLink", "created_by"),
                ("DeckCost", "author"),
                ("DeckMission", "assignee"),
                ("DeckMission", "completed_by"),
                ("DeckMissionHistory", "assignee"),
                ("DeckMissionHistory", "completed_by"),
                ("DeckStatusChange", "by"),
                ("DeckTest", "owner"),
                ("DeckTest", "quarantined_by"),
                ("DodComment", "author"),
                ("DodItem", "completed_by"),
                ("DodItemHistory", "completed_by"),
                ("Evidence", "signed_by"),
                ("EvidenceFile", "added_by"),
                ("GateBaseline", "by"),
                ("TestRun", "created_by"),
                ("VanishedTest", "by"),
                ("Webhook", "created_by"),
            )
        ),
    )
