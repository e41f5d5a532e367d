"""Absences of members, and the deputies who stand in meanwhile."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from fallback.errors import AbsenceInThePast, AbsenceTooLong
from fallback.models import MemberAbsence
from fallback.models.choices import NotificationKind
from fallback.rules import ABSENCE_LONGEST
from fallback.services.notifications import notify
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service


@service
def add_absence(*, actor: Member, member: Member, deputy: Member, first: date, last: date) -> MemberAbsence:
    """Name a deputy for the days from first to last, both inclusive, and notify the deputy.

    The days are those of the site's time zone. Raises AbsenceInThePast, AbsenceTooLong and the errors of the
    constraints. Repeating it returns the same absence.
    """
    if last < first:
        raise violated("member_absences_ends_after_start", field="last")
    if last - first >= ABSENCE_LONGEST:
        raise AbsenceTooLong
    zone = timezone.get_default_timezone()
    starts_at = datetime.combine(first, time(), zone)
    ends_at = datetime.combine(last + timedelta(days=1), time(), zone)
    if ends_at <= timezone.now():
        raise AbsenceInThePast
    # The lock makes repetitions sequential.
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    same = MemberAbsence.objects.filter(member=member, deputy=deputy, starts_at=starts_at, ends_at=ends_at).first()
    if same:
        return same
    absence = MemberAbsence.objects.create(member=member, deputy=deputy, starts_at=starts_at, ends_at=ends_at)
    audit(
        "absence.added",
        actor=actor,
        member=member,
        deputy=deputy.member_id,
        first=first.isoformat(),
        last=last.isoformat(),
    )
    if deputy.pk != actor.pk:
        notify(
            actor=actor,
            member=deputy,
            kind=NotificationKind.DEPUTY_NAMED,
            title=gettext_noop("You are deputy of a member who is absent"),
            payload={"deputy_for": member.member_id},
        )
    return absence


@service
def end_absence(*, actor: Member, absence: MemberAbsence) -> MemberAbsence:
    """End an absence now, or cancel one that has not begun. One that has ended does not change."""
    current = MemberAbsence.objects.lock(absence.pk, no_key=True)
    now = timezone.now()
    if current.ends_at > now:
        current.ends_at = max(now, current.starts_at)
        current.save(update_fields=["ends_at"])
        member = Member.objects.get(pk=current.member_id)
        audit("absence.ended", actor=actor, member=member, deputy=current.deputy.member_id)
    return current
