"""The back office of client missions: the list, and a workspace for each mission."""

from missiondeck.admin import member, missions, timeline

__all__ = ["member", "missions", "timeline"]
