from typing import Any

from fallback.models import Project, ProjectActivity
from groups.models import Member
from missionsite.common.audit.context import origin_of


def write_activity(type_: str, /, *, actor: Member, project: Project, **payload: Any) -> ProjectActivity:
    """Add an event to the activity of a project. audit() calls this for events with `project=`."""
    return ProjectActivity.objects.create(
        type=type_, project=project, actor=actor, origin=origin_of(actor), payload=payload
    )
