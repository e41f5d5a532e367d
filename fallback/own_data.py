"""What the export of a member's own data has from this app."""

from missionsite.common.own_data import NamedIn, OwnRows, register_own_data


def register() -> None:
    register_own_data(
        *(
            OwnRows(f"fallback.{model}", "member")
            for model in (
                "AccessRequest",
                "MemberAbsence",
                "MissionAssignment",
                "MissionStar",
                "Notification",
                "NotificationPreference",
                "NotificationSettings",
                "OrganizationMembership",
                "ProjectMember",
                "ProjectStar",
            )
        ),
        OwnRows("fallback.MissionComment", "author"),
        OwnRows("fallback.MissionDocumentVersion", "author"),
        *(
            NamedIn(f"fallback.{model}", field)
            for model, field in (
                ("AccessRequest", "decided_by"),
                ("MemberAbsence", "deputy"),
                ("Mission", "reviewed_by"),
                ("MissionEvent", "actor"),
                ("MissionFallbackItem", "reviewed_by"),
                ("MissionFallbackRun", "started_by"),
                ("ProjectActivity", "actor"),
                ("Workstation", "registered_by"),
            )
        ),
    )
