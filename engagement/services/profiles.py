"""Profiles: how a member wants to be written to, and whether at all."""

from zoneinfo import available_timezones

from engagement.errors import TimezoneUnknown
from engagement.models import Destination, UserProfile
from groups.models import Member
from groups.services.events import record_changes
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service

# What members change themselves, also under the member role.
OWN = ("preferred_destination", "reengagement_opt_out", "locale", "timezone")
EDITABLE = (*OWN, "individual_jid", "group_jid")


@service
def update_profile(*, member: Member, actor: Member | None = None, **changes) -> UserProfile:
    """Change a profile. changes: fields of EDITABLE. Raises TimezoneUnknown, AddressTaken.

    Messages that wait follow a changed destination; who opts out gets none of those nobody asked for.
    """
    if unknown := changes.keys() - set(EDITABLE):
        raise TypeError(f"Not a part of a profile staff or members change: {', '.join(sorted(unknown))}")
    if "timezone" in changes and changes["timezone"] not in available_timezones():
        raise TimezoneUnknown
    profile = UserProfile.objects.select_for_update().get(pk=member.pk)
    changed = apply_changes(profile, changes)
    # An address is no matter for the event log.
    said = {name: values if name in OWN else "changed" for name, values in changed.items()}
    record_changes("profile.changed", actor=actor, member=member, changed=said)
    return profile


def opt_out(*, member: Member, actor: Member | None = None) -> UserProfile:
    """No more messages nobody asked for. Done twice, it is done once."""
    return update_profile(member=member, actor=actor, reengagement_opt_out=True)


def opt_in(*, member: Member, actor: Member | None = None) -> UserProfile:
    """Messages may come again."""
    return update_profile(member=member, actor=actor, reengagement_opt_out=False)


def switch_destination(*, member: Member, to: Destination, actor: Member | None = None) -> UserProfile:
    """Have messages come to the individual chat or to the group."""
    return update_profile(member=member, actor=actor, preferred_destination=to)
