"""Shared by the pages of client missions: annotated querysets, mission health, and formatted values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypedDict, cast

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missiondeck.admin.workspace_formats import SOON, format_days_left, format_progress, format_span
from missiondeck.models import DeckMission, DeckStatus, DodItem, RunStatus
from missiondeck.selectors.checklist import Progress
from missionsite.common.admin.formats import badge, format_datetime, format_number
from missionsite.common.admin.table import address_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    MissionWithProgress = WithAnnotations[DeckMission, "WithProgress"]

VIEW_PERMISSION = "missiondeck.view_deckmission"
# Colours of states: unfold's label variants.
STATUS: dict[str, str] = {DeckStatus.ACTIVE: "info", DeckStatus.QA: "warning", DeckStatus.COMPLETE: "success"}
RUN: dict[str, str] = {RunStatus.RUNNING: "info", RunStatus.PASSED: "success", RunStatus.FAILED: "danger"}


class MissionHealth(TextChoices):
    """The health of a client mission, worst first."""

    LATE = "late", _("Late")
    AT_RISK = "at-risk", _("At risk")
    ON_TRACK = "on-track", _("On track")
    COMPLETE = "complete", _("Complete")


class WithProgress(TypedDict):
    """What with_progress() adds to a mission. last_run_status, last_run_at: None without a run."""

    last_run_status: str | None
    last_run_at: datetime | None
    dod_done: int
    dod_total: int


def current_member(request: HttpRequest) -> Member:
    """The member who is signed in; a page of the back office has one."""
    return cast(Member, request.user)


def with_progress(missions: QuerySet[DeckMission]) -> QuerySet[MissionWithProgress]:
    """Missions with their last run and `dod_done` of `dod_total` items, counted only for the rows that are read.

    The runs themselves are not read.
    """
    items = DodItem.objects.filter(mission=OuterRef("pk")).order_by().values("mission")
    done, total = (items.annotate(n=Count("pk", filter=only)).values("n") for only in (Q(completed=True), None))
    return missions.annotate(
        last_run_status=F("latest_run__status"),
        last_run_at=F("latest_run__created_at"),
        dod_done=Coalesce(Subquery(done), 0, output_field=IntegerField()),
        dod_total=Coalesce(Subquery(total), 0, output_field=IntegerField()),
    )


def open_missions(missions: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
    """Missions that are not complete. The condition is that of the index deck_missions_due."""
    return missions.exclude(status=DeckStatus.COMPLETE)


def overdue(missions: QuerySet[DeckMission], *, at: datetime) -> QuerySet[DeckMission]:
    return open_missions(missions).filter(deadline__lt=at)


def with_failed_run(missions: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
    """Missions that are not complete and whose latest test run failed."""
    return open_missions(missions).filter(latest_run__status=RunStatus.FAILED)


def health_of(mission: MissionWithProgress, *, at: datetime) -> MissionHealth:
    """The health of a mission from `with_progress`. At risk: due soon, and not ready to be completed."""
    if mission.status == DeckStatus.COMPLETE:
        return MissionHealth.COMPLETE
    if mission.deadline < at:
        return MissionHealth.LATE
    is_done = mission.dod_total and mission.dod_done == mission.dod_total
    if mission.deadline < at + SOON and not (is_done and mission.last_run_status == RunStatus.PASSED):
        return MissionHealth.AT_RISK
    return MissionHealth.ON_TRACK


def format_time_left(mission: DeckMission) -> str:
    """The time left ("3 days", "12 days overdue" in red) and the deadline; when it completed, if it is complete."""
    if mission.status == DeckStatus.COMPLETE:
        return format_html(
            '{} <small class="deck-when">{}</small>', gettext("Completed"), format_datetime(mission.completed_at)
        )
    now = timezone.now()
    if mission.deadline < now:
        shown = badge(format_days_left(mission.deadline, now), "danger")
    else:
        shown = format_span(mission.deadline - now)
    return format_html('{} <small class="deck-when">{}</small>', shown, format_datetime(mission.deadline))


def format_items_done(mission: MissionWithProgress) -> str:
    if not mission.dod_total:
        return gettext("No items yet")
    return format_progress(Progress(mission.dod_done, mission.dod_total))


def format_progress_bar(mission: MissionWithProgress) -> str:
    """The progress of the definition of done as a bar and as "3 of 8"."""
    if not mission.dod_total:
        return format_items_done(mission)
    return format_html(
        '<span class="deck-done"><progress class="deck-bar" max="{}" value="{}" aria-hidden="true"></progress>'
        " {}</span>",
        mission.dod_total,
        mission.dod_done,
        format_items_done(mission),
    )


def status_badge(mission: DeckMission) -> str:
    return badge(mission.get_status_display(), STATUS[mission.status])


def format_last_run(mission: MissionWithProgress) -> str:
    if mission.last_run_status is None:
        return gettext("None yet")
    label = badge(str(RunStatus(mission.last_run_status).label), RUN[mission.last_run_status])
    return format_html('{} <small class="deck-when">{}</small>', label, format_datetime(mission.last_run_at))


def format_budget(mission: DeckMission) -> str:
    return format_html('<span class="deck-done">{} {}</span>', mission.currency, format_number(mission.budget))


def mission_url(mission: DeckMission) -> str:
    return address_of("admin:missiondeck_workspace", mission.pk)


def mission_link(mission: DeckMission, text: str = "") -> str:
    """A link to a mission's workspace."""
    return format_html('<a class="row-link" href="{}">{}</a>', mission_url(mission), text or str(mission))
