"""The citizens of client missions."""

from __future__ import annotations

from missiondeck.models import Citizen


def citizens_of_chats(with_messages: set[str] | None = None) -> list[Citizen]:
    """The enabled citizens in their order, and those with messages that are no longer enabled."""
    kept = with_messages or set()
    return [each for each in Citizen.objects.all() if each.is_enabled or each.key in kept]


def citizen_names() -> dict[str, str]:
    """The names of all citizens by their keys, in their order."""
    return dict(Citizen.objects.values_list("key", "name"))
