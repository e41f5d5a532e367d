"""Why templates may not be proposed: they rest after a discard, or enough of them is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from django.db import connection
from django.db.models import QuerySet

from fallback import rules
from fallback.models import Mission, MissionFallbackItem, MissionFallbackTemplate, Project
from fallback.models.choices import DiscardReason, Guardrail, ItemStatus, List
from groups.models.members import SYSTEM_MEMBER_ID
from missionsite.common.sql_loader import read_sql


@dataclass(frozen=True)
class TemplateState:
    """The state of one template at a time.

    open_count: open proposals, unfinished missions, and missions in Todo that a proposal was a duplicate of.
    rests_until: the end of its rest; None if it does not rest, or rests until it is edited.
    """

    open_count: int = 0
    rests_until: datetime | None = None
    rests_until_edited: bool = False

    @property
    def rests(self) -> bool:
        return self.rests_until_edited or self.rests_until is not None


@dataclass
class SkippedTemplate:
    """A template that was not proposed, with the guardrail that prevented it."""

    guardrail: Guardrail
    template: MissionFallbackTemplate | None = None
    resets_at: datetime | None = None

    def as_json(self) -> dict:
        return {
            "template": self.template.pk if self.template else None,
            "name": self.template.name if self.template else None,
            "guardrail": str(self.guardrail),
            "resetsAt": self.resets_at.isoformat() if self.resets_at else None,
        }


def template_states(project: Project, at: datetime) -> dict[str, TemplateState]:
    """The state of the enabled templates of a project, by template id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("fallback/queries/template_states"),
            {"project_id": project.pk, "at": at, "until_edited": list(rules.REST_UNTIL_EDITED)},
        )
        return {
            pk: TemplateState(open_count, None if edited else until, edited)
            for pk, open_count, until, edited in cursor.fetchall()
        }


def scheduled_templates(project: Project, at: datetime) -> list[str]:
    """Ids of the templates of an active project whose scheduled day is today and that were not tried today."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT template_id FROM due_fallback_schedules(%s) WHERE project_id = %s ORDER BY 1", [at, project.pk]
        )
        return [pk for (pk,) in cursor.fetchall()]


def open_duplicates(project: Project) -> list[MissionFallbackItem]:
    """One discarded proposal for each mission in Todo that proposals were duplicates of. Each takes one place."""
    return list(
        MissionFallbackItem.objects.filter(
            project=project, reason=DiscardReason.DUPLICATE, duplicate_of__in=_todo(project)
        )
        .select_related("template")
        .order_by("duplicate_of_id", "-reviewed_at")
        .distinct("duplicate_of_id")
    )


def ignored_guardrails(template: MissionFallbackTemplate, at: datetime) -> list[dict]:
    """What a run would wait for before it proposes the template, as entries of `skipped` with "ignored"."""
    state = template_states(template.project, at).get(template.pk, TemplateState())
    found = []
    if state.rests:
        found.append(SkippedTemplate(Guardrail.REST, template, state.rests_until))
    if state.open_count >= template.max_open:
        found.append(SkippedTemplate(Guardrail.MAX_OPEN, template))
    return [{**each.as_json(), "ignored": True} for each in found]


def acceptance_lower_bound(template: MissionFallbackTemplate) -> float:
    """The lower end of the 95 % confidence interval of a template's acceptance, from 0 to 1; 0 without a decision.

    Only decisions of reviewers count. Wilson score interval. Source: Wilson, "Probable inference, the law of
    succession, and statistical inference", 1927.
    """
    decided = MissionFallbackItem.objects.filter(
        template=template, status__in=(ItemStatus.ACCEPTED, ItemStatus.DISCARDED)
    ).exclude(reason=DiscardReason.RUN_CANCELLED)
    decided = decided.exclude(reviewed_by__id=SYSTEM_MEMBER_ID)
    return lower_bound(decided.filter(status=ItemStatus.ACCEPTED).count(), decided.count())


def lower_bound(accepted: int, decided: int) -> float:
    """The lower end of the Wilson interval for accepted of decided."""
    if not decided:
        return 0.0
    z, ratio = rules.CONFIDENCE_Z, accepted / decided
    spread = z * sqrt(ratio * (1 - ratio) / decided + z * z / (4 * decided * decided))
    return max(0.0, (ratio + z * z / (2 * decided) - spread) / (1 + z * z / decided))


def accepts_automatically(template: MissionFallbackTemplate) -> bool:
    """Whether the proposals of a template become missions at once: allowed, and its record is still good enough."""
    return template.auto_accept and acceptance_lower_bound(template) >= rules.AUTO_ACCEPT_LOWER_BOUND


def _todo(project: Project) -> QuerySet:
    return Mission.objects.filter(project=project, list=List.TODO).order_by().values("pk")
