"""Profiles: how a member wants to be written to, and whether at all."""

import logging
from zoneinfo import available_timezones

from django.conf import settings
from django.db import DataError, connection, transaction

from engagement.errors import AddressTaken, LocaleUnknown, TimezoneUnknown
from engagement.models import Destination, Locale, UserProfile
from groups.models import Member
from groups.services.events import record_changes
from missionsite.common.changes import apply_changes
from missionsite.common.errors import translate_db_errors
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

# What members change themselves, also under the member role.
OWN = ("preferred_destination", "reengagement_opt_out", "locale", "timezone")
EDITABLE = (*OWN, "individual_jid", "group_jid")


@service
def update_profile(*, member: Member, actor: Member | None = None, **changes) -> UserProfile:
    """Change a profile. changes: fields of EDITABLE. Raises TimezoneUnknown, AddressTaken.

    Messages that wait follow a changed destination; who opts out gets none of those no one asked for.
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


def knows_timezone(name: str) -> bool:
    """Whether a profile may have this time zone: Python and PostgreSQL know it, and it is no abbreviation."""
    if name not in available_timezones() or not (name == "UTC" or "/" in name):
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT now() AT TIME ZONE %s", [name])
    except DataError:
        return False
    return True


@service
def start_profile(*, member: Member, address: str, locale: str = "", timezone: str = "") -> UserProfile:
    """Fill in the profile of a member who registers: how they are reached, in which language, and when it is night.

    address: their own chat; left empty where another member's profile has it. timezone: the site's when empty.
    Raises LocaleUnknown, TimezoneUnknown.
    """
    if locale and locale not in Locale.values:
        raise LocaleUnknown
    if timezone and not knows_timezone(timezone):
        raise TimezoneUnknown
    profile = UserProfile.objects.select_for_update().get(pk=member.pk)
    profile.locale = locale or profile.locale
    profile.timezone = timezone or (settings.TIME_ZONE if knows_timezone(settings.TIME_ZONE) else profile.timezone)
    profile.save(update_fields=["locale", "timezone"])
    try:
        with translate_db_errors(), transaction.atomic():
            UserProfile.objects.filter(pk=member.pk).update(individual_jid=address)
    except AddressTaken:
        logger.warning("The address of %s is another member's: it stays empty", member.member_id)
    else:
        profile.individual_jid = address
    return profile


def opt_out(*, member: Member, actor: Member | None = None) -> UserProfile:
    """No more messages no one asked for. Done twice, it is done once."""
    return update_profile(member=member, actor=actor, reengagement_opt_out=True)


def opt_in(*, member: Member, actor: Member | None = None) -> UserProfile:
    """Messages may come again."""
    return update_profile(member=member, actor=actor, reengagement_opt_out=False)


def switch_destination(*, member: Member, to: Destination, actor: Member | None = None) -> UserProfile:
    """Have messages come to the individual chat or to the group."""
    return update_profile(member=member, actor=actor, preferred_destination=to)
