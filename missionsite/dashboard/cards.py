"""The key figures of the home page: each links to exactly its list, with the change against last week."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engagement.models import EngagementMessage, UserEngagementState
from engagement.rules import State, Status
from fallback.selectors.counts import count_up_to
from fallback.selectors.items import items_to_review
from fallback.selectors.rights import Right
from groups.models import CommunityMember, Member
from groups.models.members import SYSTEM_MEMBER_ID
from groups.rules import CommunityStatus
from missiondeck.admin import base as deck
from missiondeck.models import DeckMission
from missionsite.common.admin.pagination import COUNT_LIMIT, Count, Pages
from missionsite.common.annotations import StrOrPromise
from missionsite.dashboard.reading import Reading

MINUS = "\N{MINUS SIGN}"


def cards_of(reading: Reading) -> list[dict]:
    """The cards that the member may see: title, count, change, is_zero, icon and link."""
    cards = [_review_card(reading), *_deck_cards(reading), _approval_card(reading), *_engagement_cards(reading)]
    return [card for card in (*cards, *_community_cards(reading)) if card]


def _community_cards(reading: Reading) -> list[dict | None]:
    missions, memberships, tasks = reading.counters
    *_weeks, this, before = reading.weeks
    # Without the system member, as in the list.
    members = Pages(Member.objects.exclude(pk=SYSTEM_MEMBER_ID), 1, whole=True).count
    day = this.starts_on.isoformat()
    joined, left = this.numbers["joined"], this.numbers["left"]
    moved = None if max(joined, left) > COUNT_LIMIT else joined - left
    return [
        _card(
            reading, _("Active missions"), missions, "flag", "mission", stored="active_missions", status__exact="active"
        ),
        _card(reading, _("Members"), members, "group", "member"),
        _card(
            reading, _("Active memberships"), memberships, "badge", "membership", change=moved, status__exact="active"
        ),
        _card(reading, _("Open tasks"), tasks, "task_alt", "task", stored="open_tasks", state__exact="open"),
        _card(
            reading,
            _("Joined in 7 days"),
            _limited(joined),
            "login",
            "membership",
            change=_difference(joined, before.numbers["joined"]),
            joined_at_from=day,
        ),
        _card(
            reading,
            _("Left in 7 days"),
            _limited(left),
            "logout",
            "membership",
            change=_difference(left, before.numbers["left"]),
            status__exact="left",
            left_at_from=day,
        ),
    ]


def _review_card(reading: Reading) -> dict | None:
    """Proposals that wait for a decision, for members who can see a project."""
    if not reading.rights.in_any_project(Right.VIEW):
        return None
    number, text = count_up_to(
        items_to_review(reading.rights.project_filter(Right.VIEW, path="project__"), at=reading.at)
    )
    return {
        "title": _("Proposals to review"),
        "count": text,
        "is_zero": number == 0,
        "change": "",
        "icon": "rate_review",
        "link": reverse("admin:fallback_review"),
    }


def _approval_card(reading: Reading) -> dict | None:
    """Registrations that wait for approval."""
    if not reading.allows("groups.approve_communitymember"):
        return None
    waiting = Pages(CommunityMember.objects.present().filter(status=CommunityStatus.PENDING), 1).count
    return _card(
        reading,
        _("Waiting for approval"),
        waiting,
        "how_to_reg",
        "communitymember",
        stored="pending_entries",
        status__exact="pending",
    )


def _deck_cards(reading: Reading) -> list[dict | None]:
    """Client missions past their deadline, and incomplete ones whose latest test run failed."""
    if not reading.allows(deck.VIEW_PERMISSION):
        return []
    overdue = Pages(deck.overdue(DeckMission.objects.all(), at=reading.at), 1).count
    failing = Pages(deck.with_failed_run(DeckMission.objects.all()), 1).count
    missions: dict[str, Any] = {"model": "deckmission", "app": "missiondeck"}
    return [
        _card(
            reading,
            _("Overdue client missions"),
            overdue,
            "running_with_errors",
            stored="overdue_missions",
            **missions,
            due="overdue",
        ),
        _card(
            reading,
            _("Failing client missions"),
            failing,
            "bug_report",
            stored="failing_missions",
            **missions,
            status="open",
            last_run="failed",
        ),
    ]


def _engagement_cards(reading: Reading) -> list[dict | None]:
    """Failed messages, and members at risk: those who were sent a goodbye message and have not answered."""
    failed = Pages(EngagementMessage.objects.filter(status=Status.FAILED), 1).count
    at_risk = Pages(UserEngagementState.objects.filter(state=State.GOODBYE_SENT), 1).count
    messages: dict[str, Any] = {"model": "engagementmessage", "app": "engagement", "status__exact": "failed"}
    states: dict[str, Any] = {"model": "userengagementstate", "app": "engagement", "state__exact": "goodbye_sent"}
    return [
        _card(reading, _("Failed messages"), failed, "sms_failed", stored="failed_messages", **messages),
        _card(reading, _("Members at risk"), at_risk, "waving_hand", stored="state_goodbye_sent", **states),
    ]


def _card(
    reading: Reading,
    title: StrOrPromise,
    count: int | Count,
    icon: str,
    model: str,
    *,
    app: str = "groups",
    stored: str = "",
    change: int | None = None,
    **filters: str,
) -> dict | None:
    """A card. stored: the name of the stored figure with which the count is compared."""
    if not reading.allows(f"{app}.view_{model}"):
        return None
    number = count.number if isinstance(count, Count) else count
    if stored and (not isinstance(count, Count) or count.is_exact):
        change = reading.change(stored, number)
    link = reverse(f"admin:{app}_{model}_changelist")
    return {
        "title": title,
        "count": str(count) if isinstance(count, Count) else number_format(count, force_grouping=True),
        "is_zero": number == 0,
        "change": _format_change(change),
        "icon": icon,
        "link": f"{link}?{urlencode(filters)}" if filters else link,
    }


def _limited(number: int) -> int | Count:
    return Count(COUNT_LIMIT, is_exact=False) if number > COUNT_LIMIT else number


def _difference(number: int, before: int) -> int | None:
    return None if max(number, before) > COUNT_LIMIT else number - before


def _format_change(change: int | None) -> str:
    if change is None:
        return ""
    if change == 0:
        return gettext("As last week")
    sign = "+" if change > 0 else MINUS
    return gettext("{change} on last week").format(change=f"{sign}{number_format(abs(change), force_grouping=True)}")
