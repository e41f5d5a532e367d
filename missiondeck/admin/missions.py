"""The list of client missions, and what of one is edited."""

from django.contrib import admin
from django.http import HttpRequest

from missiondeck.admin.workspace import workspace_urls
from missiondeck.models import DeckMission
from missionsite.common.admin import ModelAdmin


@admin.register(DeckMission)
class DeckMissionAdmin(ModelAdmin):
    """Client missions; each has a workspace of its own."""

    def get_urls(self) -> list:
        return [*workspace_urls(self), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False
