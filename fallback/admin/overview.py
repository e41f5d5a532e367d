"""What this app adds to the overview of a person: open work on boards."""

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from fallback.admin.base import rights_of
from fallback.selectors.assignments import open_assignments, visible_to
from groups.models import Member
from missionsite.common.admin.formats import link_to
from missionsite.common.admin.overview import ROWS, Section, register_section


def _work(person: Member, request: HttpRequest) -> Section | None:
    rights = rights_of(request)
    rows = [
        format_html("{} · {} · {}", each.get_kind_display(), link_to(subject), subject.project)
        for each in open_assignments(person).filter(visible_to(rights))[:ROWS]
        if (subject := each.mission or each.item)
    ]
    return Section(_("Work on boards"), rows=rows) if rows else None


register_section(_work, order=60)
