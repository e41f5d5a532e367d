"""What the export of a member's own data has from this app."""

from fallback.models import MissionDocumentVersion
from missionsite.common.own_data import NamedIn, OwnRows, register_own_data


def _document(version: MissionDocumentVersion) -> tuple[str, str]:
    name = version.name.removesuffix(".md")
    return f"{version.mission_id}/{name}.{version.version}.md", version.content


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
        OwnRows("fallback.MissionDocumentVersion", "author", document=_document),
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
