"""Creates test runs with given times; within one transaction they would all have the same time."""

from datetime import timedelta

from django.utils import timezone

from missiondeck.models import DeckMission, TestRun


def create_runs(mission: DeckMission, *statuses: str) -> TestRun:
    """Create runs of one test with these statuses, an hour apart, the last one an hour ago; returns the last one."""
    first = timezone.now() - timedelta(hours=len(statuses))
    for place, status in enumerate(statuses):
        results = None if status == "running" else [{"name": "test_it", "status": status}]
        at = first + timedelta(hours=place)
        run = TestRun.objects.create(mission=mission, status=status, results=results, created_at=at)
    return run
