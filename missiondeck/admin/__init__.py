"""The back office of client missions: the list, and a workspace for each mission."""

from missiondeck.admin import citizens, member, missions, overview, templates, timeline

__all__ = ["citizens", "member", "missions", "overview", "templates", "timeline"]
