"""The pages of this app about one person: the account, the timeline and the directory entry."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.admin.base import STATUS_COLOURS
from groups.models import CommunityMember, Member
from missionsite.common.admin.formats import badge
from missionsite.common.admin.person import PersonPage, register_person, register_person_page


def entry_of(person: Member) -> CommunityMember | None:
    """The directory entry of an account. The account keeps it, so the parts of a page read it once."""
    return getattr(person, "community", None)


def _overview(person: Member, request: HttpRequest) -> PersonPage | None:
    if not request.user.has_perm("groups.view_member"):
        return None
    return PersonPage(_("Overview"), reverse("admin:groups_member_overview", args=[person.pk]))


def _account(person: Member, request: HttpRequest) -> PersonPage | None:
    if not request.user.has_perm("groups.view_member"):
        return None
    badges = [badge(person.member_id, "default")]
    if not person.is_active:
        badges.append(badge(gettext("Deactivated"), "danger"))
    if person.is_superuser:
        badges.append(badge(gettext("Administrator"), "primary"))
    elif person.is_staff:
        badges.append(badge(gettext("Staff"), "info"))
    link = reverse("admin:groups_member_change", args=[person.pk])
    return PersonPage(_("Account"), link, Member, tuple(badges))


def _entry(person: Member, request: HttpRequest) -> PersonPage | None:
    if not request.user.has_perm("groups.view_communitymember"):
        return None
    if (entry := entry_of(person)) is None:
        return None
    badges = [badge(entry.get_status_display(), STATUS_COLOURS[entry.status]), badge(entry.reputation_tier, "info")]
    if entry.github_verified:
        badges.append(badge(gettext("Verified"), "success"))
    link = reverse("admin:groups_communitymember_change", args=[entry.pk])
    return PersonPage(_("Directory entry"), link, CommunityMember, tuple(badges))


register_person(Member, lambda member: None if member.is_system else member)
register_person(CommunityMember, lambda entry: entry.person)
register_person_page(_overview, order=5)
register_person_page(_account, order=10)
register_person_page(_entry, order=20)
