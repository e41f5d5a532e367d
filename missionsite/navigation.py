"""The navigation of a member: a few entries by role, all others under "More".

A role has the entries of its daily work. A member's roles are recognised by their permissions, so a custom role with
all permissions of a built-in one has its entries, and no query is needed.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from missionsite.roles import ROLES

# Entries that are always visible, at most.
MOST = 7
HOME = "index"
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


def split_navigation(request: HttpRequest, groups: list[dict]) -> tuple[list[dict], list[dict]]:
    """Return the entries that are always visible, and the groups with the others that the member may open."""
    allowed = {str(item["link"]): item for group in groups for item in group["items"] if item["has_permission"]}
    pages = [page for role in roles_of(request) for page in PRIMARY[role]] or list(OTHERS)
    links = [reverse(f"admin:{page}") for page in (HOME, *pages)]
    primary = [allowed[link] for link in dict.fromkeys(links) if link in allowed][:MOST]
    shown = {str(item["link"]) for item in primary}
    more = [
        {
            **group,
            "items": [item for item in group["items"] if item["has_permission"] and str(item["link"]) not in shown],
        }
        for group in groups
    ]
    return primary, [group for group in more if group["items"]]
