"""What this app adds to the overview of a person: memberships, directory entry, participation, tasks, account."""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.admin.base import TASK_STATE
from groups.admin.person import entry_of
from groups.models import CommunityInvitation, CommunityMember, Member, MemberDailyHighlight, Membership, Task
from groups.rules import TaskState
from groups.selectors.people import numbers_of
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to, list_url
from missionsite.common.admin.overview import ROWS, Section, register_section
from missionsite.common.models import ApiToken, SecurityEvent

# Days over which participation is added up.
DAYS = 90


def _tab(person: Member, name: str) -> str:
    return reverse(f"admin:groups_member_{name}", args=[person.pk])


def _memberships(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm("groups.view_membership"):
        return None
    active = Membership.objects.active().filter(member=person.pk).select_related("group").order_by("-joined_at")
    rows = [
        format_html(
            "{} · {} · {}", link_to(each.group), each.role or gettext("no role"), format_datetime(each.joined_at)
        )
        for each in active[:ROWS]
    ]
    return Section(
        _("Memberships"),
        rows=rows,
        links=[(_("All memberships"), _tab(person, "memberships"))],
        empty=_("No active membership."),
    )


def _directory(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm("groups.view_communitymember") or (entry := entry_of(person)) is None:
        return None
    numbers = numbers_of(entry)
    invited = CommunityMember.objects.filter(invited_by__member_id__in=numbers)
    inviter = CommunityMember.objects.filter(member_id=entry.invited_by_id).first() if entry.invited_by_id else None
    open_ones = CommunityInvitation.objects.filter(created_by__member_id__in=numbers, status="pending")
    pages = "admin:groups_communitymember"
    return Section(
        _("Directory and invitations"),
        lines=[
            (_("Entry"), link_to(entry, f"{entry.name} · {entry.member_id}")),
            (_("Role"), entry.get_primary_role_display()),
            (_("Organisation"), entry.organization or ""),
            (_("Reputation"), f"{format_number(entry.reputation_score)} · {entry.reputation_tier}"),
            (_("Invited by"), link_to(inviter)),
            (_("Invited people"), format_number(invited.count())),
            (_("Open invitations"), format_number(open_ones.count())),
        ],
        links=[
            (_("Invitation tree"), reverse(f"{pages}_tree", args=[entry.pk])),
            (_("Invitations"), reverse(f"{pages}_invitations", args=[entry.pk])),
        ],
    )


def _participation(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm("groups.view_memberparticipation") or (entry := entry_of(person)) is None:
        return None
    since = timezone.now().date() - timedelta(days=DAYS)
    days = MemberDailyHighlight.objects.filter(member__member_id__in=numbers_of(entry), highlight_date__gte=since)
    sums = days.aggregate(messages=Sum("message_count"), reactions=Sum("reaction_count"), voice=Sum("voice_minutes"))
    return Section(
        gettext("Participation in {days} days").format(days=DAYS),
        lines=[
            (_("Messages"), format_number(sums["messages"])),
            (_("Reactions"), format_number(sums["reactions"])),
            (_("Voice minutes"), format_number(sums["voice"])),
        ],
        links=[(_("Heat map"), reverse("admin:groups_communitymember_participation", args=[entry.pk]))],
    )


def _tasks(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm("groups.view_task"):
        return None
    claimed = Task.objects.filter(claimed_by=person.pk, state=TaskState.CLAIMED).select_related("group")
    rows = [
        format_html("{} {} · {}", badge(each.get_state_display(), TASK_STATE[each.state]), link_to(each), each.group)
        for each in claimed.order_by("due_on", "pk")[:ROWS]
    ]
    return Section(_("Tasks"), rows=rows, links=[(_("All tasks"), _tab(person, "tasks"))], empty=_("No claimed task."))


def _account(person: Member, request: HttpRequest) -> Section | None:
    """How the person logs in, and the sessions; for those who may see the security log."""
    if not request.user.has_perm("common.view_securityevent"):
        return None
    sessions = UserSession.objects.filter(user=person.pk).order_by("-last_seen_at")
    factors = Authenticator.objects.filter(user=person.pk).order_by("pk")
    return Section(
        _("Account and sessions"),
        lines=[
            (_("E-mail"), person.email or ""),
            (_("Last log-in"), format_datetime(person.last_login)),
            (_("Second factors"), ", ".join(str(each.get_type_display()) for each in factors)),
            (_("Accounts of other providers"), ", ".join(_providers(person))),
            (_("API tokens"), format_number(ApiToken.objects.usable().filter(owner=person.pk).count())),
        ],
        rows=[
            format_html("{} · {} · {}", format_datetime(each.last_seen_at), each.ip, each.user_agent[:80])
            for each in sessions[:ROWS]
        ],
        links=[(_("Security log"), list_url(SecurityEvent, member__id__exact=person.pk))],
        empty=_("No session."),
    )


def _providers(person: Member) -> list[str]:
    return [str(each) for each in SocialAccount.objects.filter(user=person.pk).values_list("provider", flat=True)]


register_section(_memberships, order=10)
register_section(_directory, order=30)
register_section(_participation, order=40)
register_section(_tasks, order=50)
register_section(_account, order=90)
