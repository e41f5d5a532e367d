"""How the rows of this app move when two people are merged: roles, requests and what is addressed to them."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.references import Moves, Stays, register_references

FACT = _("It says who did something at that time.")


def register() -> None:
    register_references(
        Moves("fallback.ProjectMember", "member", unless=("project_id",)),
        Moves("fallback.OrganizationMembership", "member", unless=("organization_id",)),
        Moves("fallback.AccessRequest", "member", unless=("project_id",), where="t.status = 'pending'"),
        Moves("fallback.Notification", "member"),
        Moves("fallback.ProjectStar", "member", unless=("project_id",)),
        Moves("fallback.MissionStar", "member", unless=("mission_id",)),
        Moves("fallback.MissionAssignment", "member"),
        Stays("fallback.MemberAbsence", "member", _("The kept account enters its own absences.")),
        Stays("fallback.MemberAbsence", "deputy", _("The kept account enters its own absences.")),
        Moves("fallback.NotificationPreference", "member", unless=("organization_id", "kind", "channel")),
        Stays("fallback.NotificationSettings", "member", _("Each member has their own.")),
        *(
            Stays(f"fallback.{model}", field, FACT)
            for model, field in (
                ("AccessRequest", "decided_by"),
                ("Mission", "reviewed_by"),
                ("MissionEvent", "actor"),
                ("ProjectActivity", "actor"),
                ("MissionFallbackRun", "started_by"),
                ("MissionFallbackItem", "reviewed_by"),
                ("MissionComment", "author"),
                ("MissionDocumentVersion", "author"),
                ("Workstation", "registered_by"),
            )
        ),
    )
