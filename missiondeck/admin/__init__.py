"""The back office of client missions: the list, and the workspace of each."""

from missiondeck.admin import missions

__all__ = ["missions"]
