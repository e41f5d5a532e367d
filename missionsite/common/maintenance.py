"""Maintenance mode: pages and API respond with 503 and say when to try again.

It is a file (MAINTENANCE_FILE) with the time it is expected to end, so that it works without the database. Each machine
has its own file.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from missionsite.common.api.problems import problem

# Shortest Retry-After in seconds, also after the expected end.
SHORTEST_RETRY = 30


def until() -> datetime | None:
    """The expected end of maintenance (aware, UTC); None if the site is not under maintenance."""
    file = Path(settings.MAINTENANCE_FILE)
    try:
        text = file.read_text().strip()
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        # Made by hand, without a time.
        return changed


def start(*, for_: timedelta) -> datetime:
    """Begin or extend maintenance. Returns its expected end."""
    ends_at = datetime.now(UTC).replace(microsecond=0) + for_
    file = Path(settings.MAINTENANCE_FILE)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ends_at.isoformat())
    return ends_at


def end() -> None:
    """End maintenance. Does nothing if there is none."""
    Path(settings.MAINTENANCE_FILE).unlink(missing_ok=True)


class MaintenanceMiddleware:
    """Respond with 503 during maintenance."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ends_at = until()
        if ends_at is None:
            return self.get_response(request)
        seconds = max(int((ends_at - datetime.now(UTC)).total_seconds()), SHORTEST_RETRY)
        headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
        if request.path_info.startswith("/api/"):
            text = _("The site is under maintenance. Try again later.")
            return problem(request, 503, code="maintenance", detail=text, headers=headers)
        page = render_to_string("maintenance.html", {"ends_at": ends_at, "is_late": seconds == SHORTEST_RETRY})
        return HttpResponse(page, status=503, headers=headers)
