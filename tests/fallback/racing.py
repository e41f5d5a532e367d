"""What the tests of races share."""

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

from fallback.models.choices import ItemStatus

PEOPLE = 50


def only(results, *kinds) -> Counter:
    """Count results by kind; fail for any other result."""
    others = [repr(result) for result in results if not isinstance(result, kinds)]
    assert others == []
    return Counter(type(result) for result in results)


def accepted_by_period(project) -> dict[tuple[str, str], int]:
    """The sums of accepted proposals, computed from the rows and their times."""
    zone = ZoneInfo(project.organization.timezone)
    found = Counter()
    for at, minutes in project.fallback_items.filter(status=ItemStatus.ACCEPTED).values_list(
        "reviewed_at", "estimated_effort_minutes"
    ):
        day = at.astimezone(zone).date()
        found["week", (day - timedelta(days=day.weekday())).isoformat()] += 1
        found["month", day.replace(day=1).isoformat()] += minutes
    return dict(found)
