"""The navigation of a member: a few entries by role, all others under "More".

A role has the entries of its daily work. A member's roles are recognised by their permissions, so a custom role with
all permissions of a built-in one has its entries, and no query is needed.

Every page has it: names and addresses are looked up once for each language, and the same entries are rendered once.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from missionsite.roles import ROLES

# Entries that are always visible, at most.
MOST = 7
HOME = "index"
# Not a page of the admin site itself.
HEALTH = "community_health"
# The names of the pages, in their order, without Home.
PRIMARY: dict[str, tuple[str, ...]] = {
    "Administrator": (
        "groups_mission_changelist",
        "groups_member_changelist",
        "groups_communitymember_changelist",
        "fallback_review",
        "missiondeck_deckmission_changelist",
        "engagement_engagementmessage_changelist",
    ),
    "Mission Manager": (
        "groups_mission_changelist",
        "groups_member_changelist",
        "groups_membership_changelist",
        "groups_task_changelist",
        "fallback_project_changelist",
    ),
    "Community Manager": (
        "groups_communitymember_changelist",
        "groups_communityinvitation_changelist",
        "groups_member_changelist",
        HEALTH,
        "groups_memberparticipation_changelist",
        "engagement_announcement_changelist",
    ),
    "Engagement Operator": (
        "engagement_lifecycle",
        "engagement_userengagementstate_changelist",
        "engagement_engagementmessage_changelist",
        "engagement_messagetemplate_changelist",
        "engagement_announcement_changelist",
    ),
    "Fallback Reviewer": (
        "fallback_review",
        "fallback_inbox",
        "fallback_project_changelist",
        "fallback_mission_changelist",
        "fallback_metrics",
    ),
    "Delivery Lead": (
        "missiondeck_deckmission_changelist",
        "missiondeck_calendar",
        "fallback_project_changelist",
        "groups_mission_changelist",
        "groups_task_changelist",
    ),
    "Auditor": (
        "common_auditentry_changelist",
        "groups_event_changelist",
        "common_securityevent_changelist",
        "missionsite_role_changelist",
        "groups_member_changelist",
        "groups_mission_changelist",
    ),
}
# For members whose rights come from projects, and for roles that include no built-in one.
OTHERS = (
    "fallback_review",
    "fallback_inbox",
    "fallback_project_changelist",
    "fallback_mission_changelist",
    "groups_mission_changelist",
    "groups_member_changelist",
    "groups_communitymember_changelist",
    "missiondeck_deckmission_changelist",
    "engagement_engagementmessage_changelist",
)


def roles_of(request: HttpRequest) -> list[str]:
    """The built-in roles that a member's permissions include, without those that another of them includes."""
    if request.user.is_superuser:
        return ["Administrator"]
    own = request.user.get_all_permissions()
    included = [name for name, codes in ROLES.items() if codes <= own]
    return [name for name in included if not any(ROLES[name] < ROLES[other] for other in included)]


@cache
def _groups(language: str | None) -> list[dict]:
    """The groups of the settings with names in a language and addresses as text."""
    return [
        {
            **group,
            "title": str(group["title"]),
            "items": [item | {"title": str(item["title"]), "link": str(item["link"])} for item in group["items"]],
        }
        for group in cast(Any, settings.UNFOLD)["SIDEBAR"]["navigation"]
    ]


@cache
def _link(page: str) -> str:
    return reverse(page if page == HEALTH else f"admin:{page}")


def sidebar(request: HttpRequest) -> list[dict]:
    """All groups of entries: whether the member may open each (`has_permission`), and whether it is open (`active`)."""
    path = request.path
    home = _link(HOME)

    def is_active(item: dict) -> bool:
        if "active" in item:
            return item["active"](request)
        return path == home if item["link"] == home else item["link"] in path

    def complete(item: dict) -> dict:
        allowed = item.get("permission")
        return item | {"active": is_active(item), "has_permission": allowed is None or allowed(request)}

    return [{**group, "items": [complete(item) for item in group["items"]]} for group in _groups(get_language())]


def split_navigation(request: HttpRequest) -> tuple[list[dict], list[dict]]:
    """Return the entries that are always visible, and the groups with the others that the member may open."""
    groups = sidebar(request)
    allowed = {item["link"]: item for group in groups for item in group["items"] if item["has_permission"]}
    pages = [page for role in roles_of(request) for page in PRIMARY[role]] or list(OTHERS)
    links = [_link(page) for page in (HOME, *pages)]
    primary = [allowed[link] for link in dict.fromkeys(links) if link in allowed][:MOST]
    shown = {item["link"] for item in primary}
    more = [
        {**group, "items": [item for item in group["items"] if item["has_permission"] and item["link"] not in shown]}
        for group in groups
    ]
    return primary, [group for group in more if group["items"]]


# An entry as it is rendered: link, icon, title, whether it is open.
Entry = tuple[str, str, str, bool]


@lru_cache(maxsize=1_000)
def _rendered(groups: tuple[tuple[str, tuple[Entry, ...]], ...]) -> SafeString:
    """Lists of entries, each below the title of its group if it has one."""
    html = render_to_string("missionsite/nav_entries.html", {"groups": groups})
    return mark_safe(html)  # noqa: S308  (rendered by a template)


def render_navigation(request: HttpRequest) -> dict[str, SafeString | bool]:
    """The entries as HTML: `primary` ones, and those of `more`; has_active: of the latter, one is open."""

    def entries(items: list[dict]) -> tuple[Entry, ...]:
        return tuple((item["link"], item["icon"], item["title"], item["active"]) for item in items)

    primary, more = split_navigation(request)
    return {
        "primary": _rendered((("", entries(primary)),)),
        "more": _rendered(tuple((group["title"], entries(group["items"])) for group in more)),
        "has_active": any(item["active"] for group in more for item in group["items"]),
    }
