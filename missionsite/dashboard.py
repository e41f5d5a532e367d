"""The dashboard of the back office: key figures, each linked to its list, and the latest events."""

from datetime import timedelta

from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from engagement.models import EngagementMessage, UserEngagementState
from engagement.rules import State, Status
from fallback.admin.base import rights_of
from fallback.selectors.counts import count_up_to
from fallback.selectors.items import items_to_review
from fallback.selectors.rights import Right
from groups.admin.base import actor_of
from groups.models import Event, Member, Membership
from groups.models.members import SYSTEM_MEMBER_ID
from groups.selectors.directory import count_pending_entries
from missiondeck.admin import base as deck
from missiondeck.models import DeckMission
from missionsite.common.admin.formats import format_datetime, link_to
from missionsite.common.admin.pagination import Pages
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_label

# Events shown.
LATEST_EVENTS = 8


def add_dashboard(request: HttpRequest, context: dict) -> dict:
    """Add the cards, the latest events and the first steps to the page's context, in a fixed number of queries."""
    missions, memberships, tasks = _counters()
    week_ago = timezone.now() - timedelta(days=7)
    # Without the system member, as in the list.
    members = Pages(Member.objects.exclude(pk=SYSTEM_MEMBER_ID), 1, whole=True).count
    joined = Pages(Membership.objects.filter(joined_at__gte=week_ago), 1).count
    left = Pages(Membership.objects.filter(left_at__gte=week_ago, status=Membership.Status.LEFT), 1).count
    day = timezone.localdate(week_ago).isoformat()
    cards = [
        _card(request, _("Active missions"), missions, "flag", "mission", status__exact="active"),
        _card(request, "Members", members, "group", "member"),
        _card(request, _("Active memberships"), memberships, "badge", "membership", status__exact="active"),
        _card(request, _("Open tasks"), tasks, "task_alt", "task", state__exact="open"),
        _card(request, _("Joined in 7 days"), joined, "login", "membership", joined_at_from=day),
        _card(request, _("Left in 7 days"), left, "logout", "membership", status__exact="left", left_at_from=day),
    ]
    context["cards"] = [
        card
        for card in (
            *_review_cards(request),
            *_deck_cards(request),
            _approval_card(request),
            *_engagement_cards(request),
            *cards,
        )
        if card
    ]
    context["first_steps"] = _first_steps(request) if not missions else []
    if request.user.has_perm("groups.view_event"):
        newest = Event.objects.select_related("actor", "member", "group")[:LATEST_EVENTS]
        context["newest_rows"] = [_event_row(event) for event in newest]
    return context


def _review_cards(request: HttpRequest) -> list[dict]:
    """Proposals that wait for a decision, for members who can see a project."""
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        return []
    waiting = items_to_review(rights.project_filter(Right.VIEW, path="project__"), at=timezone.now())
    _number, text = count_up_to(waiting)
    return [
        {
            "title": _("Proposals to review"),
            "count": text,
            "icon": "rate_review",
            "link": reverse("admin:fallback_review"),
        }
    ]


def _approval_card(request: HttpRequest) -> dict | None:
    """Registrations that wait for approval."""
    if not request.user.has_perm("groups.approve_communitymember"):
        return None
    waiting = count_pending_entries()
    return _card(request, _("Waiting for approval"), waiting, "how_to_reg", "communitymember", status__exact="pending")


def _deck_cards(request: HttpRequest) -> list[dict | None]:
    """Client missions past their deadline, and incomplete ones whose latest test run failed."""
    if not request.user.has_perm(deck.VIEW_PERMISSION):
        return []
    overdue = Pages(deck.overdue(DeckMission.objects.all(), at=timezone.now()), 1).count
    failing = Pages(deck.with_failed_run(DeckMission.objects.all()), 1).count
    missions = {"model": "deckmission", "app": "missiondeck"}
    return [
        _card(request, _("Overdue client missions"), overdue, "running_with_errors", **missions, due="overdue"),
        _card(
            request, _("Failing client missions"), failing, "bug_report", **missions, status="open", last_run="failed"
        ),
    ]


def _engagement_cards(request: HttpRequest) -> list[dict | None]:
    """Failed messages, and members at risk: those who were sent a goodbye message and have not answered."""
    failed = Pages(EngagementMessage.objects.filter(status=Status.FAILED), 1).count
    at_risk = Pages(UserEngagementState.objects.filter(state=State.GOODBYE_SENT), 1).count
    messages = {"model": "engagementmessage", "app": "engagement", "status__exact": "failed"}
    states = {"model": "userengagementstate", "app": "engagement", "state__exact": "goodbye_sent"}
    return [
        _card(request, _("Failed messages"), failed, "sms_failed", **messages),
        _card(request, _("Members at risk"), at_risk, "waving_hand", **states),
    ]


def _counters() -> tuple[int, int, int]:
    """Active missions, active memberships and open tasks: sums over counters, and one count of a small table."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM groups WHERE type = 'mission' AND status = 'active'),
                   coalesce(sum(member_count), 0), coalesce(sum(open_task_count), 0)
            FROM mission_counts
            """
        )
        return cursor.fetchone()


def _card(
    request: HttpRequest,
    title: StrOrPromise,
    count: object,
    icon: str,
    model: str,
    *,
    app: str = "groups",
    **filters,
) -> dict | None:
    if not request.user.has_perm(f"{app}.view_{model}"):
        return None
    link = reverse(f"admin:{app}_{model}_changelist")
    shown = str(count) if not isinstance(count, int) else number_format(count, force_grouping=True)
    return {"title": title, "count": shown, "icon": icon, "link": f"{link}?{urlencode(filters)}" if filters else link}


def _event_row(event: Event) -> list[tuple[StrOrPromise, str]]:
    return [
        (_("When"), format_datetime(event.occurred_at)),
        (_("What"), event_label(event.type)),
        (_("Member"), link_to(event.member)),
        (_("Mission or colony"), link_to(event.group)),
        (_("By"), actor_of(event)),
    ]


def _first_steps(request: HttpRequest) -> list[dict]:
    """The first steps on an empty site, in order."""
    steps: list[tuple[StrOrPromise, StrOrPromise, str, str]] = [
        (_("Create the colony"), _("The root that all missions belong to."), "colony", "groups.add_colony"),
        (
            _("Create a mission"),
            _("Members join missions, which can require a trust score."),
            "mission",
            "groups.add_mission",
        ),
        (_("Add members"), _("Enter the name and e-mail of each person."), "member", "groups.add_member"),
        (
            _("Add them to a mission"),
            _("A membership connects a member with a mission."),
            "membership",
            "groups.manage_memberships",
        ),
    ]
    return [
        {"title": title, "text": text, "link": reverse(f"admin:groups_{model}_add")}
        for title, text, model, permission in steps
        if request.user.has_perm(permission)
    ]
