"""What the export of a member's own data has from this app."""

from engagement.rules import OWN_DETAILS
from missionsite.common.own_data import NamedIn, OwnRows, register_own_data


def _own_details(metadata: dict) -> dict:
    return {name: metadata[name] for name in OWN_DETAILS if name in metadata}


def register() -> None:
    register_own_data(
        OwnRows("engagement.UserProfile", "user"),
        OwnRows("engagement.UserProfileHistory", "user"),
        OwnRows("engagement.UserEngagementState", "user"),
        OwnRows("engagement.EngagementStateTransition", "user", change={"metadata": _own_details}),
        OwnRows("engagement.EngagementMessage", "user"),
        OwnRows("engagement.InboundMessage", "user"),
        OwnRows("engagement.UnassignedMessage", "user"),
        OwnRows("engagement.SequenceMember", "user"),
        OwnRows("engagement.MemberAddress", "user"),
        OwnRows("engagement.BouncedAddress", "user"),
        NamedIn("engagement.EngagementStateTransition", "actor"),
        NamedIn("engagement.Announcement", "created_by"),
        NamedIn("engagement.Announcement", "approved_by"),
    )
