"""How the rows of this app move when two people are merged: roles, requests and what is addressed to them."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.references import MergeRun, Moves, Stays, register_references
from missionsite.common.sql_loader import read_sql

FACT = _("It says who did something at that time.")


def register() -> None:
    register_references(
        Moves("fallback.ProjectMember", "member", unless=("project_id",)),
        Moves("fallback.OrganizationMembership", "member", unless=("organization_id",)),
        # Two pending ones of a project must not meet: a step ends the absorbed person's.
        Moves("fallback.AccessRequest", "member"),
        Moves("fallback.Notification", "member"),
        Moves("fallback.ProjectStar", "member", unless=("project_id",)),
        Moves("fallback.MissionStar", "member", unless=("mission_id",)),
        Moves("fallback.MissionAssignment", "member"),
        # No one is their own deputy: an absence of one of the two whose deputy is the other stays, without effect.
        Moves("fallback.MemberAbsence", "member", where="t.deputy_id <> %(kept)s"),
        Moves("fallback.MemberAbsence", "deputy", where="t.member_id <> %(kept)s"),
        # Authors change their comments for some minutes, and are shown with them.
        Moves("fallback.MissionComment", "author"),
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
                ("MissionDocumentVersion", "author"),
                ("Workstation", "registered_by"),
            )
        ),
        steps=(end_duplicate_access_requests,),
    )


def end_duplicate_access_requests(run: MergeRun) -> None:
    """End a pending request of the absorbed person for a project that the kept one asks for too. A merge step."""
    from fallback.models import AccessRequest

    run.rewrite(
        AccessRequest,
        {"status": "'expired'", "decided_at": "now()"},
        read_sql("fallback/queries/duplicate_access_requests"),
    )
