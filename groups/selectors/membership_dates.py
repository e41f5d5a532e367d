"""Who was in when: memberships at the end of a day."""

from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from groups.models import Membership


def members_on(rows: QuerySet[Membership], day: date) -> QuerySet[Membership]:
    """Return the memberships that were active at the end of a day in the current time zone.

    A person who was merged is not listed beside the one they were merged into.
    """
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)) - timedelta(microseconds=1)
    of_the_kept = Membership.objects.as_of(end).filter(member=OuterRef("member__merged_into"), group=OuterRef("group"))
    return rows.filter(Q(left_at__isnull=True) | Q(left_at__gt=end), joined_at__lte=end).exclude(Exists(of_the_kept))
