"""The agents of a mission: a tab with the sessions, and the log of one of them by pages."""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.admin.base import ProjectCustomTab
from fallback.models import CodeAgentSession, Mission
from fallback.models.choices import AgentSessionStatus
from fallback.services.agent_sessions import log_path_of
from missionsite.common import documents

# Sessions shown, the latest ones, and lines of a page of a log.
SHOWN = 50
LINES = 500
COLOURS = {
    AgentSessionStatus.RUNNING: "info",
    AgentSessionStatus.SUCCEEDED: "success",
    AgentSessionStatus.FAILED: "danger",
    AgentSessionStatus.CANCELLED: "default",
    AgentSessionStatus.TIMED_OUT: "warning",
}
# Colours and movements of a terminal, and other control characters. Source: ECMA-48, 5.4.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _context(mission: Mission, request: HttpRequest) -> dict:
    at = timezone.now()
    sessions = list(mission.agent_sessions.select_related("workstation")[:SHOWN])
    page = reverse("admin:fallback_mission_agents", args=[mission.pk])
    chosen = next((each for each in sessions if each.pk == request.GET.get("session")), None)
    return {
        "mission": mission,
        "status_text": mission.get_agent_session_status_display(),
        "sessions": [
            {
                "session": each,
                "colour": COLOURS[AgentSessionStatus(each.status)],
                "status_text": each.get_status_display(),
                "is_silent": each.is_running and each.last_heartbeat_at < at - rules.HEARTBEAT_TIMEOUT / 2,
                "workstation_url": reverse("admin:fallback_workstation_change", args=[each.workstation_id])
                if each.workstation_id
                else "",
                "log_url": f"{page}?session={each.pk}#log" if each.log_path else "",
            }
            for each in sessions
        ],
        "log": _log(chosen, f"{page}?session={chosen.pk}", request) if chosen else None,
    }


def _log(session: CodeAgentSession, address: str, request: HttpRequest) -> dict:
    """One page of a log: its lines with their numbers, and the links of the pages beside it."""
    try:
        content = documents.read(log_path_of(session.pk), at_most=2 * rules.AGENT_LOG_BYTES)[: session.log_bytes]
    except documents.NoSuchDocument:
        content = b""
    # A carriage return rewrites a line, as a progress bar does: its last state counts.
    lines = [
        _CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in content.decode(errors="replace").split("\n")
    ]
    if lines and not lines[-1]:
        lines.pop()
    pages = max(1, -(-len(lines) // LINES))
    number = request.GET.get("p", "")
    # The last page without a number: what happened latest.
    page = min(max(int(number), 1), pages) if number.isdecimal() and len(number) < 8 else pages
    first = (page - 1) * LINES
    return {
        "session": session,
        "lines": list(enumerate(lines[first : first + LINES], start=first + 1)),
        "page": page,
        "pages": pages,
        "total": len(lines),
        "path": session.log_path,
        "first_url": f"{address}&p=1#log" if page > 1 else "",
        "previous_url": f"{address}&p={page - 1}#log" if page > 1 else "",
        "next_url": f"{address}&p={page + 1}#log" if page < pages else "",
        "last_url": f"{address}&p={pages}#log" if page < pages else "",
    }


AGENTS: ProjectCustomTab[Mission] = ProjectCustomTab(
    name="agents", title=_("Agents"), template="fallback/agents.html", context=_context
)
