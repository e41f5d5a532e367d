"""The documents of missions: their versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, QuerySet

from fallback.models import Mission, MissionDocumentVersion


def latest_version(mission: Mission, name: str) -> MissionDocumentVersion | None:
    """The latest version of a document, or None."""
    return MissionDocumentVersion.objects.filter(mission=mission, name=name).order_by("-version").first()


def documents_of(mission: Mission) -> list[MissionDocumentVersion]:
    """The latest version of each document of a mission: the solution, then the tasks by number."""
    found = _latest(MissionDocumentVersion.objects.filter(mission=mission)).select_related("author")
    return sorted(found, key=lambda version: (version.name != "solution.md", len(version.name), version.name))


def latest_versions(since: datetime | None = None) -> Iterator[MissionDocumentVersion]:
    """The latest version of each document of all missions. since: only of those saved after it."""
    saved = MissionDocumentVersion.objects.all()
    if since:
        saved = saved.filter(created_at__gte=since)
    return _latest(saved).iterator()


def _latest(versions: QuerySet[MissionDocumentVersion]) -> QuerySet[MissionDocumentVersion]:
    return versions.order_by("mission_id", "name", F("version").desc()).distinct("mission_id", "name")
