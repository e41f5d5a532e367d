"""Profiles: message preferences of members."""

import logging
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.db import DataError, connection, transaction

from engagement.errors import LocaleUnknown, TimezoneUnknown
from engagement.models import UserProfile
from engagement.rules import Destination, Locale
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.countries import zone_of_country
from missionsite.common.errors import ConstraintViolated, translate_db_errors
from missionsite.common.transactions import service

logger = logging.getLogger(__name__)

# Fields that members can change themselves, also under the member role.
OWN = ("preferred_destination", "reengagement_opt_out", "locale", "timezone", "muted_topics", "channels")
EDITABLE = (*OWN, "individual_jid", "group_jid")
# The constraint of an address that another member has.
ADDRESS_TAKEN = "user_profiles_individual_jid_unique"


@service
def update_profile(*, actor: Member, member: Member, **changes: Any) -> UserProfile:
    """Change a profile. changes: fields of EDITABLE. Raises TimezoneUnknown, and the error of a taken address.

    A trigger updates the destination of pending messages. Unsolicited messages are not sent after an opt-out.
    """
    check_fields(changes, *EDITABLE)
    if "timezone" in changes and changes["timezone"] not in available_timezones():
        raise TimezoneUnknown
    if "channels" in changes:
        changes["channels"] = list(dict.fromkeys(changes["channels"]))
    profile = UserProfile.objects.lock(member.pk)
    if changed := apply_changes(profile, changes):
        # Addresses are not copied to the event log.
        event_changes = {name: values if name in OWN else "changed" for name, values in changed.items()}
        audit("profile.changed", actor=actor, member=member, changed=event_changes)
    return profile


def knows_timezone(name: str) -> bool:
    """Return whether Python and PostgreSQL know this time zone, and it is not an abbreviation."""
    if name not in available_timezones() or not (name == "UTC" or "/" in name):
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT now() AT TIME ZONE %s", [name])
    except DataError:
        return False
    return True


@service
def start_profile(
    *, actor: Member, member: Member, address: str, locale: str = "", timezone: str = "", country: str = ""
) -> UserProfile:
    """Set the address, language and time zone of a member who registers. Recorded in the history of the profile.

    address: their own chat; not set if another member's profile has it. timezone: by default that of the country,
    otherwise the site's. country: as the member wrote it.
    Raises LocaleUnknown, TimezoneUnknown.
    """
    if locale and locale not in Locale.values:
        raise LocaleUnknown
    if timezone and not knows_timezone(timezone):
        raise TimezoneUnknown
    profile = UserProfile.objects.lock(member.pk)
    profile.locale = locale or profile.locale
    timezone = timezone or zone_of_country(country)
    profile.timezone = timezone or (settings.TIME_ZONE if knows_timezone(settings.TIME_ZONE) else profile.timezone)
    profile.save(update_fields=["locale", "timezone"])
    try:
        with translate_db_errors(), transaction.atomic():
            UserProfile.objects.filter(pk=member.pk).update(individual_jid=address)
    except ConstraintViolated as error:
        if error.constraint != ADDRESS_TAKEN:
            raise
        logger.warning("The address of %s belongs to another member and was not set", member.member_id)
    else:
        profile.individual_jid = address
    return profile


def opt_out(*, actor: Member, member: Member) -> UserProfile:
    """Stop unsolicited messages; a repeated call changes nothing."""
    return update_profile(actor=actor, member=member, reengagement_opt_out=True)


def opt_in(*, actor: Member, member: Member) -> UserProfile:
    """Allow unsolicited messages again."""
    return update_profile(actor=actor, member=member, reengagement_opt_out=False)


def switch_destination(*, actor: Member, member: Member, to: Destination) -> UserProfile:
    """Send messages to the individual chat or to the group chat."""
    return update_profile(actor=actor, member=member, preferred_destination=to)
