"""What the export of a member's own data has from this app and from Django's accounts."""

from django.utils.translation import gettext_lazy as _

from groups.rules import shown_telegram_id
from missionsite.common.own_data import NamedIn, NotExported, OwnRows, register_own_data

# Of the people that a member invited.
INVITED = ("invitation_code", "invited_telegram_username", "invited_email", "invited_name")
ENTERED = ("name", "email", "telegram_id", "details", "link_digest")
SEALED = _("Sealed copies of the other records.")


def register() -> None:
    register_own_data(
        *(
            OwnRows(f"groups.{model}", field)
            for model, field in (
                ("CommunityInvitationUse", "member"),
                ("Event", "member"),
                ("JoinRequest", "member"),
                ("MemberDailyHighlight", "member"),
                ("CustomValue", "entry"),
                ("CustomValue", "member"),
                ("MemberHistory", "pgh_obj"),
                ("MemberParticipation", "member"),
                ("Note", "entry"),
                ("Note", "member"),
                ("Tagging", "entry"),
                ("Tagging", "member"),
                ("Member_groups", "member"),
                ("Member_user_permissions", "member"),
                ("Membership", "member"),
                ("MembershipHistory", "member"),
                ("Task", "claimed_by"),
            )
        ),
        *(
            OwnRows(f"groups.{model}", field, change={"telegram_id": shown_telegram_id})
            for model, field in (("CommunityMember", "person"), ("CommunityMemberHistory", "pgh_obj"))
        ),
        OwnRows("groups.CommunityInvitation", "created_by", without=INVITED),
        # What was entered may be someone else's.
        OwnRows(
            "groups.CommunityReturn", "account", without=("name", "email", "telegram_id", "details", "link_digest")
        ),
        # The ends of a relationship are stored twice.
        OwnRows("groups.MemberRelationship", "member_a", without=("entity_id_a", "entity_id_b")),
        OwnRows("groups.MemberRelationship", "member_b", without=("entity_id_a", "entity_id_b")),
        *(
            NamedIn(f"groups.{model}", field)
            for model, field in (
                ("CommunityInvitation", "accepted_by"),
                ("CommunityInvitationHistory", "accepted_by"),
                ("CommunityInvitationHistory", "created_by"),
                ("CommunityMember", "invited_by"),
                ("CommunityMember", "merged_into"),
                ("CommunityMemberHistory", "invited_by"),
                ("CommunityMemberHistory", "merged_into"),
                ("CommunityReturn", "decided_by"),
                ("CommunityReturn", "entry"),
                ("Event", "actor"),
                ("JoinRequest", "created_by"),
                ("JoinRequest", "decided_by"),
                ("Member", "merged_into"),
                ("MemberHistory", "merged_into"),
                ("Note", "author"),
                *(
                    ("MemberMerge", field)
                    for field in ("kept", "absorbed", "kept_entry", "absorbed_entry", "merged_by", "undone_by")
                ),
                ("ImportMapping", "saved_by"),
                ("PeopleJob", "approved_by"),
                ("PeopleJob", "started_by"),
                ("PossibleDuplicate", "decided_by"),
                ("TaskHistory", "claimed_by"),
            )
        ),
        NotExported("groups.CommunityMemberHistory", "person", _("The same rows as in pgh_obj.")),
        # Accounts, tokens and the site's own log.
        OwnRows("account.EmailAddress", "user"),
        OwnRows("mfa.Authenticator", "user", without=("data",)),
        OwnRows("usersessions.UserSession", "user", without=("data",)),
        OwnRows("socialaccount.SocialAccount", "user"),
        OwnRows("common.ApiToken", "owner"),
        OwnRows("common.SecurityEvent", "actor"),
        NamedIn("common.SecurityEvent", "member"),
        NamedIn("common.ApiToken", "created_by"),
        NamedIn("common.RetentionRun", "started_by"),
        NamedIn("common.BulkEdit", "started_by"),
        NamedIn("admin.LogEntry", "user"),
        NotExported("common.AuditActor", "member", SEALED),
        NotExported("common.AuditDetails", "member", SEALED),
        NotExported("common.IdempotencyKey", "owner", _("Responses to repeated requests, deleted after a day.")),
        OwnRows("missionsite.Favourite", "member"),
        OwnRows("missionsite.SavedView", "member"),
    )
