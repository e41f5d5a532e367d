"""The health of workers, queue and database on the home page, for those who can do something about it."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext

from engagement.admin.base import HANDLE
from missionsite.common.admin.formats import format_number
from missionsite.common.probes import LONGEST_QUEUE_AGE
from missionsite.common.worker.health import read_health

# Who sees it: administrators and auditors, and those who handle messages.
SEES = ("missionsite.view_role", HANDLE)
JOBS = "procrastinate.view_procrastinatejob"


def health_of(request: HttpRequest) -> list[dict]:
    """The lines: name, text, is_well and link. Empty for members who need not know."""
    if not any(request.user.has_perm(permission) for permission in SEES):
        return []
    jobs = reverse("admin:procrastinate_procrastinatejob_changelist") if request.user.has_perm(JOBS) else ""
    health = read_health()
    fresh = sum(worker.is_fresh for worker in health.workers)
    wait = health.longest_wait or timedelta(0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT current_setting('transaction_read_only') = 'on',
                   (SELECT string_agg(name, ', ' ORDER BY name) FROM engagement_transports WHERE opened_at IS NOT NULL),
                   (SELECT now() - min(scheduled_for) FROM engagement_message_queue WHERE status = 'pending')
            """
        )
        read_only, stopped, due = cursor.fetchone()
    late = due if due and due > timedelta(0) else timedelta(0)
    messages = reverse("admin:engagement_engagementmessage_changelist")
    waiting = ngettext("{number} job waits", "{number} jobs wait", health.waiting)
    return [
        _line(
            gettext("Workers"),
            gettext("{number} running").format(number=fresh) if fresh else gettext("None running"),
            fresh > 0,
        ),
        _line(
            gettext("Jobs"),
            waiting.format(number=format_number(health.waiting))
            + (gettext(", the oldest for {age}").format(age=timesince_of(wait)) if wait > LONGEST_QUEUE_AGE else ""),
            wait <= LONGEST_QUEUE_AGE,
            jobs,
        ),
        _line(
            gettext("Failed jobs today"),
            format_number(health.failed_today),
            health.failed_today == 0,
            f"{jobs}?status=failed" if jobs else "",
        ),
        _line(
            gettext("Message queue"),
            gettext("Stopped: {transports}").format(transports=stopped)
            if stopped
            else gettext("The oldest due message waits {age}").format(age=timesince_of(late))
            if late > LONGEST_QUEUE_AGE
            else gettext("Sends as due"),
            not stopped and late <= LONGEST_QUEUE_AGE,
            f"{messages}?status__exact=pending" if request.user.has_perm("engagement.view_engagementmessage") else "",
        ),
        _line(gettext("Database"), gettext("Read-only") if read_only else gettext("Responds"), not read_only),
    ]


def timesince_of(span: timedelta) -> str:
    """A span as text, such as "3 days"."""
    now = timezone.now()
    return timesince(now - span, now, depth=1)


def _line(name: str, text: str, is_well: bool, link: str = "") -> dict:
    return {"name": name, "text": text, "is_well": is_well, "link": link}
