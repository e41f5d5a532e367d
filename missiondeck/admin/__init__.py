"""The back office of client missions: the list, and the workspace of each."""

from missiondeck.admin import member, missions

__all__ = ["member", "missions"]
