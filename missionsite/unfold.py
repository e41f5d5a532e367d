"""Settings of django-unfold (`UNFOLD`): name, colours and navigation of the back office."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise
from missionsite.common.language import LANGUAGES


def _has_perm(permission: str):
    def check(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return check


def _has_project_right(right: str):
    """A check whether the current member has a right in any project. right: a name of fallback's Right."""

    def check(request: HttpRequest) -> bool:
        # Imported here, because settings are read before models are loaded.
        from fallback.admin.base import rights_of
        from fallback.selectors.rights import Right

        return rights_of(request).in_any_project(Right[right])

    return check


def _project_item(title: StrOrPromise, icon: str, view: str, **options) -> dict:
    link = reverse_lazy(f"admin:{view}")
    return {"title": title, "icon": icon, "link": link, "permission": _has_project_right("VIEW"), **options}


def _is_proposal_list(request: HttpRequest) -> bool:
    """Whether the current page belongs to the list of proposals; the review page's address has the same prefix."""
    path = request.path_info
    return path.startswith(str(reverse_lazy("admin:fallback_missionfallbackitem_changelist"))) and not path.startswith(
        str(reverse_lazy("admin:fallback_review"))
    )


def _is_inbox(request: HttpRequest) -> bool:
    """Whether the current page belongs to the inbox; the address of the starred page has the same prefix."""
    return request.path_info.startswith(str(reverse_lazy("admin:fallback_inbox"))) and not request.path_info.startswith(
        str(reverse_lazy("admin:fallback_starred"))
    )


def _is_project_list(request: HttpRequest) -> bool:
    """Whether the current page belongs to the list of projects; two other pages' addresses have the same prefix."""
    pages = ("admin:fallback_inbox", "admin:fallback_metrics")
    return request.path_info.startswith(str(reverse_lazy("admin:fallback_project_changelist"))) and not any(
        request.path_info.startswith(str(reverse_lazy(page))) for page in pages
    )


def _item(title: StrOrPromise, icon: str, view: str, permission: str, **options) -> dict:
    link = reverse_lazy(f"admin:{view}")
    return {"title": title, "icon": icon, "link": link, "permission": _has_perm(permission), **options}


def _is_state_list(request: HttpRequest) -> bool:
    """Whether the current page belongs to the list of states; the lifecycle page's address has the same prefix."""
    path = request.path_info
    return path.startswith(
        str(reverse_lazy("admin:engagement_userengagementstate_changelist"))
    ) and not path.startswith(str(reverse_lazy("admin:engagement_lifecycle")))


def _is_client_mission_list(request: HttpRequest) -> bool:
    """Whether the current page belongs to the list of client missions; the calendar's address has the same prefix."""
    return request.path_info.startswith(
        str(reverse_lazy("admin:missiondeck_deckmission_changelist"))
    ) and not _is_calendar(request)


def _is_calendar(request: HttpRequest) -> bool:
    pages = ("admin:missiondeck_calendar", "admin:missiondeck_feeds")
    return any(request.path_info == str(reverse_lazy(page)) for page in pages)


UNFOLD = {
    "SITE_TITLE": "Missionsite",
    "SITE_HEADER": "Missionsite",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": None,
    "SITE_SYMBOL": "flag",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "sizes": "any",
            "href": lambda request: static("missionsite/favicon.svg"),
        }
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "LANGUAGES": {
        "action": reverse_lazy("portal:language"),
        "navigation": [{"code": code, "name_local": name} for code, name in LANGUAGES.items()],
    },
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("missionsite/admin.css")],
    "SCRIPTS": [
        lambda request: static("missionsite/expressions.js"),
        lambda request: static("common/submit.js"),
        lambda request: static("missionsite/names.js"),
        lambda request: static("missionsite/tabs.js"),
        lambda request: static("missionsite/navigation.js"),
        lambda request: static("fallback/inbox.js"),
    ],
    "DASHBOARD_CALLBACK": "missionsite.dashboard.add_dashboard",
    "COLORS": {
        # Teal: keeps 4.5:1 against white at 600 and against the dark page at 400.
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(32% .055 190)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            {
                "title": _("People & missions"),
                "separator": False,
                "items": [
                    {"title": _("Home"), "icon": "home", "link": reverse_lazy("admin:index")},
                    _item(_("Missions"), "flag", "groups_mission_changelist", "groups.view_mission"),
                    _item(_("Colonies"), "hive", "groups_colony_changelist", "groups.view_colony"),
                    _item(_("Members"), "group", "groups_member_changelist", "groups.view_member"),
                    _item(_("Memberships"), "badge", "groups_membership_changelist", "groups.view_membership"),
                    _item(
                        _("Join requests"),
                        "person_raised_hand",
                        "groups_joinrequest_changelist",
                        "groups.view_joinrequest",
                    ),
                    _item(_("Tasks"), "task_alt", "groups_task_changelist", "groups.view_task"),
                    _item(_("Events"), "history", "groups_event_changelist", "groups.view_event"),
                ],
            },
            {
                "title": _("Community"),
                "separator": True,
                "items": [
                    _item(
                        _("Directory"), "contacts", "groups_communitymember_changelist", "groups.view_communitymember"
                    ),
                    _item(
                        _("Invitations"),
                        "mail",
                        "groups_communityinvitation_changelist",
                        "groups.view_communityinvitation",
                    ),
                    _item(
                        _("Possible duplicates"),
                        "group",
                        "groups_possibleduplicate_changelist",
                        "groups.view_possibleduplicate",
                    ),
                    _item(
                        _("Returning people"),
                        "undo",
                        "groups_communityreturn_changelist",
                        "groups.view_communityreturn",
                    ),
                    _item(
                        _("Jobs on people"), "manage_history", "groups_peoplejob_changelist", "groups.view_peoplejob"
                    ),
                    _item(_("Tags"), "label", "groups_tag_changelist", "groups.view_tag"),
                    _item(_("Custom fields"), "edit_note", "groups_customfield_changelist", "groups.add_customfield"),
                    {
                        "title": _("Community health"),
                        "icon": "monitor_heart",
                        "link": reverse_lazy("community_health"),
                        "permission": _has_perm("groups.view_communitymember"),
                    },
                    _item(
                        _("Relationships"),
                        "diversity_3",
                        "groups_memberrelationship_changelist",
                        "groups.view_memberrelationship",
                    ),
                    _item(
                        _("Participation"),
                        "forum",
                        "groups_memberparticipation_changelist",
                        "groups.view_memberparticipation",
                    ),
                ],
            },
            {
                "title": _("Projects & fallback"),
                "separator": True,
                "items": [
                    _project_item(_("Inbox"), "inbox", "fallback_inbox", active=_is_inbox),
                    _project_item(_("Starred"), "star", "fallback_starred"),
                    _project_item(_("Review proposals"), "rate_review", "fallback_review"),
                    _project_item(_("Projects"), "view_kanban", "fallback_project_changelist", active=_is_project_list),
                    _project_item(_("Metrics"), "monitoring", "fallback_metrics"),
                    _project_item(_("Board missions"), "assignment", "fallback_mission_changelist"),
                    _project_item(
                        _("Fallback configurations"), "autorenew", "fallback_missionfallbackconfig_changelist"
                    ),
                    _project_item(
                        _("Fallback templates"), "content_copy", "fallback_missionfallbacktemplate_changelist"
                    ),
                    _project_item(_("Library of templates"), "local_library", "fallback_library"),
                    _project_item(_("Fallback runs"), "history_toggle_off", "fallback_missionfallbackrun_changelist"),
                    _project_item(
                        _("Proposals"),
                        "checklist",
                        "fallback_missionfallbackitem_changelist",
                        active=_is_proposal_list,
                    ),
                    _project_item(_("Organisations"), "apartment", "fallback_organization_changelist"),
                    _project_item(_("Repositories"), "source", "fallback_projectrepository_changelist"),
                    _project_item(_("Workstations"), "computer", "fallback_workstation_changelist"),
                    _project_item(_("Flows"), "account_tree", "fallback_flow_changelist"),
                    _project_item(_("Actors"), "psychology", "fallback_actor_changelist"),
                ],
            },
            {
                "title": _("Mission deck"),
                "separator": True,
                "items": [
                    _item(
                        _("Client missions"),
                        "work",
                        "missiondeck_deckmission_changelist",
                        "missiondeck.view_deckmission",
                        active=_is_client_mission_list,
                    ),
                    _item(
                        _("Calendar"),
                        "calendar_month",
                        "missiondeck_calendar",
                        "missiondeck.view_deckmission",
                        active=_is_calendar,
                    ),
                    _item(
                        _("Definition of done templates"),
                        "checklist",
                        "missiondeck_dodtemplate_changelist",
                        "missiondeck.view_dodtemplate",
                    ),
                    _item(_("Citizens"), "groups_3", "missiondeck_citizen_changelist", "missiondeck.view_citizen"),
                ],
            },
            {
                "title": _("Engagement"),
                "separator": True,
                "items": [
                    _item(_("Lifecycle"), "schema", "engagement_lifecycle", "engagement.view_userengagementstate"),
                    _item(
                        _("Engagement states"),
                        "mood",
                        "engagement_userengagementstate_changelist",
                        "engagement.view_userengagementstate",
                        active=_is_state_list,
                    ),
                    _item(
                        _("Messages"),
                        "outgoing_mail",
                        "engagement_engagementmessage_changelist",
                        "engagement.view_engagementmessage",
                    ),
                    _item(
                        _("Measures"),
                        "monitoring",
                        "engagement_measures",
                        "engagement.view_engagementmessage",
                    ),
                    _item(
                        _("Unassigned messages"),
                        "contact_mail",
                        "engagement_unassignedmessage_changelist",
                        "engagement.view_unassignedmessage",
                    ),
                    _item(
                        _("Bounced addresses"),
                        "unsubscribe",
                        "engagement_bouncedaddress_changelist",
                        "engagement.view_bouncedaddress",
                    ),
                    _item(
                        _("Announcements"),
                        "campaign",
                        "engagement_announcement_changelist",
                        "engagement.view_announcement",
                    ),
                    _item(
                        _("Sequences"),
                        "low_priority",
                        "engagement_sequence_changelist",
                        "engagement.view_sequence",
                    ),
                    _item(
                        _("Message templates"),
                        "edit_note",
                        "engagement_messagetemplate_changelist",
                        "engagement.view_messagetemplate",
                    ),
                    _item(
                        _("Reply phrases"),
                        "rule",
                        "engagement_replyphrase_changelist",
                        "engagement.view_replyphrase",
                    ),
                    _item(
                        _("Profiles"),
                        "manage_accounts",
                        "engagement_userprofile_changelist",
                        "engagement.view_userprofile",
                    ),
                    _item(
                        _("Transitions"),
                        "moving",
                        "engagement_engagementstatetransition_changelist",
                        "engagement.view_engagementstatetransition",
                    ),
                ],
            },
            {
                "title": _("Access"),
                "separator": True,
                "items": [
                    {"title": _("API tokens"), "icon": "key", "link": reverse_lazy("admin:common_apitoken_changelist")},
                    _item(_("Roles"), "shield_person", "missionsite_role_changelist", "missionsite.view_role"),
                    _item(_("Audit"), "fact_check", "common_auditentry_changelist", "common.view_auditentry"),
                    {
                        "title": _("Bulk edits"),
                        "icon": "edit_note",
                        "link": reverse_lazy("admin:common_bulkedit_changelist"),
                    },
                    _item(_("Retention"), "auto_delete", "common_retentionrun_rules", "common.view_retentionrun"),
                    _item(
                        _("Security log"),
                        "policy",
                        "common_securityevent_changelist",
                        "common.view_securityevent",
                    ),
                ],
            },
        ],
    },
}
