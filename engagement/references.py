"""How the rows of this app move when two people are merged."""

from django.utils.translation import gettext_lazy as _

from engagement.models import UserProfile
from missionsite.common.references import MergeRun, Stays, register_identity, register_references

HISTORY = _("It says what happened then, and never changes.")


def keep_opt_out(run: MergeRun) -> None:
    """Keep the opt-out and the unwanted topics of either account, and the chat address if only one has it."""
    absorbed = "(SELECT {} FROM user_profiles WHERE user_id = %(absorbed)s)"
    run.rewrite(
        UserProfile,
        {"reengagement_opt_out": "true"},
        f"t.user_id = %(kept)s AND NOT t.reengagement_opt_out AND {absorbed.format('reengagement_opt_out')}",
    )
    muted = absorbed.format("muted_topics")
    run.rewrite(
        UserProfile,
        {"muted_topics": f"ARRAY(SELECT DISTINCT unnest(t.muted_topics || {muted}) ORDER BY 1)"},
        f"t.user_id = %(kept)s AND NOT t.muted_topics @> {muted}",
    )
    jid = UserProfile.objects.filter(user=run.absorbed).values_list("individual_jid", flat=True).first()
    if jid and UserProfile.objects.filter(user=run.kept, individual_jid="").exists():
        # An address belongs to one profile.
        run.rewrite(UserProfile, {"individual_jid": "''"}, "t.user_id = %(absorbed)s")
        run.rewrite(UserProfile, {"individual_jid": "%(jid)s::text"}, "t.user_id = %(kept)s", jid=jid)


# A chat address of a phone network begins with the number.
PHONE = """
    SELECT user_id, 'phone', (regexp_match(individual_jid, '^[+]?([0-9]{8,15})(?:@|$)'))[1]
    FROM user_profiles WHERE individual_jid ~ '^[+]?[0-9]{8,15}(@|$)'
"""


def register() -> None:
    register_identity(PHONE)
    register_references(
        Stays("engagement.UserProfile", "user", _("Each account has one; a step keeps the opt-out and the address.")),
        Stays("engagement.UserEngagementState", "user", _("Each account has one; a closed account gets no messages.")),
        Stays("engagement.MemberAddress", "user", _("Triggers set them from the rows of each account.")),
        Stays("engagement.BouncedAddress", "user", _("It is about an address of that account.")),
        Stays("engagement.EngagementMessage", "user", HISTORY),
        Stays("engagement.InboundMessage", "user", HISTORY),
        Stays("engagement.UnassignedMessage", "user", HISTORY),
        Stays("engagement.SequenceMember", "user", _("Each account has its own; a closed account gets no messages.")),
        Stays("engagement.EngagementStateTransition", "user", HISTORY),
        Stays("engagement.EngagementStateTransition", "actor", HISTORY),
        Stays("engagement.UserProfileHistory", "user", HISTORY),
        Stays("engagement.Announcement", "created_by", HISTORY),
        Stays("engagement.Announcement", "approved_by", HISTORY),
        steps=(keep_opt_out,),
    )
