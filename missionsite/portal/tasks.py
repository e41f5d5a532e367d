"""Background jobs of the members' pages."""

from procrastinate.contrib.django import app

from missionsite.common.audit.context import in_changeset
from missionsite.common.worker.retries import Retries
from missionsite.portal import notices


@app.task(name=notices.TASK, retry=Retries())
@in_changeset
def send_join_notice(request_id: str, event_type: str) -> str:
    """Send the e-mail about a join request; returns the outcome."""
    return notices.send_notice(request_id=request_id, event_type=event_type)
