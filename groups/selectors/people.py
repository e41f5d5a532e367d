"""People: an account, an entry of the directory, or both; and what became of those who were merged."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from groups.models import CommunityMember, Member

# Merges of merges; a longer chain cannot be made by hand.
LONGEST_CHAIN = 50


@dataclass(frozen=True)
class Person:
    """A person: their account, their entry in the directory, or both."""

    account: Member | None
    entry: CommunityMember | None

    def __str__(self) -> str:
        return f"{self.name} · {self.reference}"

    @property
    def key(self) -> UUID:
        """The ID of the account, or of the entry without one."""
        if self.account:
            return self.account.pk
        assert self.entry
        return self.entry.pk

    @property
    def name(self) -> str:
        if self.entry:
            return self.entry.name
        return self.account.display_name if self.account else ""

    @property
    def reference(self) -> str:
        """The number in the directory, or the stable ID of an account without an entry."""
        if self.entry:
            return self.entry.member_id
        return self.account.member_id if self.account else ""

    @property
    def is_merged(self) -> bool:
        return bool((self.account and self.account.merged_into_id) or (self.entry and self.entry.merged_into_id))


def person_of_entry(entry: CommunityMember) -> Person:
    return Person(entry.person, entry)


def person_of_account(account: Member) -> Person:
    return Person(account, CommunityMember.objects.filter(person=account.pk).first())


def find_person(reference: str) -> Person | None:
    """Return a person by number (#12, 12), stable ID (FE-P-00012) or the ID of their account or entry."""
    text = reference.strip()
    entries = CommunityMember.objects.select_related("person")
    if text.upper().startswith("FE-P-"):
        account = Member.objects.filter(member_id=text.upper()).first()
        return person_of_account(account) if account else None
    if (number := text.removeprefix("#")).isascii() and number.isdecimal():
        entry = entries.filter(member_id=f"#{number}").first()
        return person_of_entry(entry) if entry else None
    try:
        key = UUID(text)
    except ValueError:
        return None
    if account := Member.objects.filter(pk=key).first():
        return person_of_account(account)
    entry = entries.filter(pk=key).first()
    return person_of_entry(entry) if entry else None


def resolve_entry(entry: CommunityMember) -> CommunityMember:
    """Return the entry that an entry was merged into, or the entry itself."""
    for _step in range(LONGEST_CHAIN):
        if entry.merged_into_id is None:
            return entry
        entry = CommunityMember.objects.select_related("person").get(member_id=entry.merged_into_id)
    return entry


def numbers_of(entry: CommunityMember) -> list[str]:
    """Return the number of an entry and those of the entries that were merged into it, directly and indirectly."""
    found = [entry.member_id]
    latest = found
    for _step in range(LONGEST_CHAIN):
        latest = list(
            CommunityMember.objects.filter(merged_into__member_id__in=latest)
            .order_by("id")
            .values_list("member_id", flat=True)
        )
        if not latest:
            break
        found = [*found, *latest]
    return found


def accounts_of(entry: CommunityMember) -> list[UUID]:
    """Return the ID of an entry's account and those of the accounts that were merged into it."""
    latest = found = [entry.person_id] if entry.person_id else []
    for _step in range(LONGEST_CHAIN):
        latest = list(Member.objects.filter(merged_into__in=latest).order_by("id").values_list("pk", flat=True))
        if not latest:
            break
        found = [*found, *latest]
    return found
