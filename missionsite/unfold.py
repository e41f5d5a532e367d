"""How the back office looks: its name, colours and sidebar. django-unfold reads `UNFOLD`."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may(permission: str):
    def check(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return check


def _in_projects(right: str):
    """Whether there is a project this person may do something in; right: a name of fallback's Right."""

    def check(request: HttpRequest) -> bool:
        # Settings are read before there are models.
        from fallback.admin.base import rights_of
        from fallback.services.rights import Right

        return rights_of(request).anywhere(Right[right])

    return check


def _project_entry(title: str, icon: str, view: str, **options) -> dict:
    link = reverse_lazy(f"admin:{view}")
    return {"title": title, "icon": icon, "link": link, "permission": _in_projects("LOOK"), **options}


def _in_list_of_proposals(request: HttpRequest) -> bool:
    """Whether this is a page of the list, not the review page, whose address begins like the list's."""
    here = request.path_info
    return here.startswith(str(reverse_lazy("admin:fallback_missionfallbackitem_changelist"))) and not here.startswith(
        str(reverse_lazy("admin:fallback_review"))
    )


def _entry(title: str, icon: str, view: str, permission: str, **options) -> dict:
    link = reverse_lazy(f"admin:{view}")
    return {"title": title, "icon": icon, "link": link, "permission": _may(permission), **options}


def _in_list_of_states(request: HttpRequest) -> bool:
    """Whether this is a page of the list, not the machine, whose address begins like the list's."""
    here = request.path_info
    return here.startswith(
        str(reverse_lazy("admin:engagement_userengagementstate_changelist"))
    ) and not here.startswith(str(reverse_lazy("admin:engagement_machine")))


def _in_list_of_client_missions(request: HttpRequest) -> bool:
    """Whether this is a page of the list, not the calendar or its feeds, whose addresses begin like the list's."""
    return request.path_info.startswith(
        str(reverse_lazy("admin:missiondeck_deckmission_changelist"))
    ) and not _in_calendar(request)


def _in_calendar(request: HttpRequest) -> bool:
    pages = ("admin:missiondeck_calendar", "admin:missiondeck_feeds")
    return any(request.path_info == str(reverse_lazy(page)) for page in pages)


UNFOLD = {
    "SITE_TITLE": "Missionsite",
    "SITE_HEADER": "Missionsite",
    "SITE_SUBHEADER": "Back office",
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
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("missionsite/admin.css")],
    "SCRIPTS": [lambda request: static("common/submit.js"), lambda request: static("missionsite/names.js")],
    "DASHBOARD_CALLBACK": "missionsite.home.numbers",
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
                "title": "People & missions",
                "separator": False,
                "items": [
                    {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")},
                    _entry("Missions", "flag", "groups_mission_changelist", "groups.view_mission"),
                    _entry("Colony", "hive", "groups_colony_changelist", "groups.view_colony"),
                    _entry("Members", "group", "groups_member_changelist", "groups.view_member"),
                    _entry("Memberships", "event_seat", "groups_membership_changelist", "groups.view_membership"),
                    _entry("Tasks", "task_alt", "groups_task_changelist", "groups.view_task"),
                    _entry("Events", "history", "groups_event_changelist", "groups.view_event"),
                ],
            },
            {
                "title": "Community",
                "separator": True,
                "items": [
                    _entry("Directory", "contacts", "groups_communitymember_changelist", "groups.view_communitymember"),
                    _entry(
                        "Invitations",
                        "mail",
                        "groups_communityinvitation_changelist",
                        "groups.view_communityinvitation",
                    ),
                    _entry(
                        "Relationships",
                        "diversity_3",
                        "groups_memberrelationship_changelist",
                        "groups.view_memberrelationship",
                    ),
                    _entry(
                        "Participation",
                        "forum",
                        "groups_memberparticipation_changelist",
                        "groups.view_memberparticipation",
                    ),
                ],
            },
            {
                "title": "Projects & fallback",
                "separator": True,
                "items": [
                    _project_entry("Review proposals", "rate_review", "fallback_review"),
                    _project_entry("Projects & boards", "view_kanban", "fallback_project_changelist"),
                    _project_entry("Board missions", "assignment", "fallback_mission_changelist"),
                    _project_entry("Fallback", "autorenew", "fallback_missionfallbackconfig_changelist"),
                    _project_entry("Templates", "content_copy", "fallback_missionfallbacktemplate_changelist"),
                    _project_entry("Runs", "history_toggle_off", "fallback_missionfallbackrun_changelist"),
                    _project_entry(
                        "All proposals",
                        "checklist",
                        "fallback_missionfallbackitem_changelist",
                        active=_in_list_of_proposals,
                    ),
                    _project_entry("Organisations", "apartment", "fallback_organization_changelist"),
                    _project_entry("Repositories", "source", "fallback_projectrepository_changelist"),
                    _project_entry("Flows", "account_tree", "fallback_flow_changelist"),
                    _project_entry("Actors", "psychology", "fallback_actor_changelist"),
                ],
            },
            {
                "title": "Mission deck",
                "separator": True,
                "items": [
                    _entry(
                        "Client missions",
                        "work",
                        "missiondeck_deckmission_changelist",
                        "missiondeck.view_deckmission",
                        active=_in_list_of_client_missions,
                    ),
                    _entry(
                        "Calendar",
                        "calendar_month",
                        "missiondeck_calendar",
                        "missiondeck.view_deckmission",
                        active=_in_calendar,
                    ),
                ],
            },
            {
                "title": "Engagement",
                "separator": True,
                "items": [
                    _entry("Machine", "schema", "engagement_machine", "engagement.view_userengagementstate"),
                    _entry(
                        "States",
                        "mood",
                        "engagement_userengagementstate_changelist",
                        "engagement.view_userengagementstate",
                        active=_in_list_of_states,
                    ),
                    _entry(
                        "Queue",
                        "outgoing_mail",
                        "engagement_engagementmessage_changelist",
                        "engagement.view_engagementmessage",
                    ),
                    _entry(
                        "Announcements",
                        "campaign",
                        "engagement_announcement_changelist",
                        "engagement.view_announcement",
                    ),
                    _entry(
                        "Message templates",
                        "edit_note",
                        "engagement_messagetemplate_changelist",
                        "engagement.view_messagetemplate",
                    ),
                    _entry(
                        "Profiles",
                        "manage_accounts",
                        "engagement_userprofile_changelist",
                        "engagement.view_userprofile",
                    ),
                    _entry(
                        "Transitions",
                        "moving",
                        "engagement_engagementstatetransition_changelist",
                        "engagement.view_engagementstatetransition",
                    ),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    {"title": "API tokens", "icon": "key", "link": reverse_lazy("admin:common_apitoken_changelist")},
                    _entry("Roles", "shield_person", "missionsite_role_changelist", "missionsite.view_role"),
                ],
            },
        ],
    },
}
