"""Two people side by side."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import MemberParticipation, Membership, Task
from groups.selectors.people import Person
from missionsite.common.annotations import StrOrPromise
from missionsite.common.models import ApiToken

# Participation is counted up to here.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Line:
    """One line of a comparison."""

    label: StrOrPromise
    values: tuple[str, str]

    @property
    def differs(self) -> bool:
        return self.values[0] != self.values[1]


def compare(first: Person, second: Person) -> list[Line]:
    """Return the facts of two people, each with both values as texts; empty for none."""
    return [Line(label, (read(first), read(second))) for label, read in _FACTS]


def _account(name: str) -> Callable[[Person], str]:
    return lambda person: str(getattr(person.account, name)) if person.account else ""


def _entry(name: str) -> Callable[[Person], str]:
    return lambda person: str(getattr(person.entry, name) or "") if person.entry else ""


def _day(value: object) -> str:
    return f"{value:%Y-%m-%d}" if value else ""


def _access(person: Person) -> str:
    account = person.account
    if account is None:
        return gettext("No account")
    if account.is_superuser:
        return gettext("Administrator")
    if account.is_staff:
        roles = ", ".join(sorted(account.groups.values_list("name", flat=True)))
        return gettext("Staff: %(roles)s") % {"roles": roles} if roles else gettext("Staff")
    return gettext("Member") if account.is_active else gettext("Deactivated")


def _missions(person: Person) -> str:
    if person.account is None:
        return ""
    active = Membership.objects.active().filter(member=person.account.pk)
    return ", ".join(active.order_by("group__name").values_list("group__name", flat=True)[:10])


def _count_of(rows: Callable[[Person], int | None]) -> Callable[[Person], str]:
    def read(person: Person) -> str:
        count = rows(person)
        return "" if count is None else str(count)

    return read


def _memberships(person: Person) -> int | None:
    return Membership.objects.filter(member=person.account.pk).count() if person.account else None


def _tasks(person: Person) -> int | None:
    return Task.objects.filter(claimed_by=person.account.pk).count() if person.account else None


def _tokens(person: Person) -> int | None:
    return ApiToken.objects.usable().filter(owner=person.account.pk).count() if person.account else None


def _invited(person: Person) -> int | None:
    return person.entry.invited.count() if person.entry else None


def _participation(person: Person) -> int | None:
    if person.entry is None:
        return None
    return MemberParticipation.objects.filter(member__member_id=person.entry.member_id)[:MOST_COUNTED].count()


_FACTS: tuple[tuple[StrOrPromise, Callable[[Person], str]], ...] = (
    (_("Name"), lambda person: person.name),
    (_("Number"), _entry("member_id")),
    (_("Stable ID"), _account("member_id")),
    (_("E-mail"), _account("email")),
    (_("Telegram ID"), _entry("shown_telegram_id")),
    (_("Telegram name"), _entry("telegram_username")),
    (_("GitHub name"), _entry("github_username")),
    (_("Organisation"), _entry("organization")),
    (_("Country"), _entry("country")),
    (_("Status"), lambda person: str(person.entry.get_status_display()) if person.entry else ""),
    (_("Removed"), lambda person: _day(person.entry.deleted_at) if person.entry else ""),
    (_("Access"), _access),
    (_("Trust score"), _account("trust_score")),
    (_("Reputation"), _entry("reputation_score")),
    (_("Invited by"), lambda person: str(person.entry.invited_by or "") if person.entry else ""),
    (_("In the directory since"), lambda person: _day(person.entry.created_at) if person.entry else ""),
    (_("Last active"), lambda person: _day(person.entry.last_active_at) if person.entry else ""),
    (_("Missions"), _missions),
    (_("Memberships, also ended ones"), _count_of(_memberships)),
    (_("Tasks"), _count_of(_tasks)),
    (_("People invited"), _count_of(_invited)),
    (_("Participation"), _count_of(_participation)),
    (_("API tokens"), _count_of(_tokens)),
)
