"""How the rows of this app and of Django's accounts move when two people are merged."""

from django.utils.translation import gettext_lazy as _

from groups.services.merging import end_duplicate_memberships, withdraw_duplicate_requests
from missionsite.common.references import Moves, Stays, register_references

FACT = _("It says who did something at that time.")
HISTORY = _("History is append-only.")
CREDENTIAL = _("Credentials of an account end with it.")
ONE_EACH = _("Each entry has its own; selectors add them up.")


def register() -> None:
    register_references(
        # Memberships move in a step: two active ones of a group must not meet.
        Stays("groups.Membership", "member", _("A step moves it.")),
        Moves("groups.Task", "claimed_by"),
        # Two open ones of a mission must not meet: a step withdraws the absorbed person's.
        Moves("groups.JoinRequest", "member"),
        Stays("groups.JoinRequest", "created_by", FACT),
        Stays("groups.JoinRequest", "decided_by", FACT),
        Moves("groups.Member_groups", "member", unless=("group_id",)),
        Moves("groups.Member_user_permissions", "member", unless=("permission_id",)),
        Stays("groups.CommunityMember", "person", _("The service moves it.")),
        Stays("groups.CommunityMember", "invited_by", _("The service moves it.")),
        Stays("groups.CommunityMember", "merged_into", _("It leads to the kept person.")),
        Stays("groups.Member", "merged_into", _("It leads to the kept person.")),
        Stays("groups.CommunityInvitation", "created_by", _("The inviter of an invitation never changes.")),
        Stays("groups.CommunityInvitation", "accepted_by", _("An accepted invitation never changes.")),
        Stays("groups.CommunityInvitationUse", "member", HISTORY),
        *(Stays("groups.CommunityReturn", field, FACT) for field in ("entry", "account", "decided_by")),
        Stays("groups.MemberParticipation", "member", _("Counted participation never changes.")),
        Stays("groups.MemberDailyHighlight", "member", ONE_EACH),
        Stays("groups.MemberRelationship", "member_a", FACT),
        Stays("groups.MemberRelationship", "member_b", FACT),
        Stays("groups.Event", "actor", HISTORY),
        Stays("groups.Event", "member", HISTORY),
        *(
            Stays(f"groups.{model}", field, HISTORY)
            for model, field in (
                ("MemberHistory", "pgh_obj"),
                ("MemberHistory", "merged_into"),
                ("MembershipHistory", "member"),
                ("TaskHistory", "claimed_by"),
                ("CommunityMemberHistory", "pgh_obj"),
                ("CommunityMemberHistory", "person"),
                ("CommunityMemberHistory", "invited_by"),
                ("CommunityMemberHistory", "merged_into"),
                ("CommunityInvitationHistory", "created_by"),
                ("CommunityInvitationHistory", "accepted_by"),
            )
        ),
        *(
            Stays("groups.MemberMerge", field, FACT)
            for field in ("kept", "absorbed", "kept_entry", "absorbed_entry", "merged_by", "undone_by")
        ),
        Stays("groups.ImportMapping", "saved_by", FACT),
        Moves("groups.Tagging", "member", unless=("tag_id",)),
        Moves("groups.CustomValue", "member", unless=("field_id",)),
        Moves("groups.Note", "member"),
        Stays("groups.Note", "author", FACT),
        *(
            Stays(f"groups.{model}", "entry", _("The service moves it."))
            for model in ("Tagging", "CustomValue", "Note")
        ),
        *(Stays("groups.PeopleJob", field, FACT) for field in ("started_by", "approved_by")),
        Stays("groups.PossibleDuplicate", "decided_by", FACT),
        # Accounts, tokens and the site's own log.
        Moves("common.ApiToken", "owner"),
        Stays("common.ApiToken", "created_by", FACT),
        Stays("common.SecurityEvent", "actor", HISTORY),
        Stays("common.SecurityEvent", "member", HISTORY),
        Stays("common.AuditActor", "member", HISTORY),
        Stays("common.AuditDetails", "member", HISTORY),
        Stays("common.RetentionRun", "started_by", FACT),
        Stays("common.BulkEdit", "started_by", FACT),
        Stays("common.IdempotencyKey", "owner", _("It is pruned after a day.")),
        Stays("admin.LogEntry", "user", HISTORY),
        Stays("account.EmailAddress", "user", CREDENTIAL),
        Stays("mfa.Authenticator", "user", CREDENTIAL),
        Stays("usersessions.UserSession", "user", CREDENTIAL),
        Stays("socialaccount.SocialAccount", "user", CREDENTIAL),
        steps=(end_duplicate_memberships, withdraw_duplicate_requests),
    )
