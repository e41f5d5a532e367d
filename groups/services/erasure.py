"""Erasing the personal data of a member, by a database function. This cannot be undone."""

from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from groups.errors import EntryErased, StaffNotErased
from groups.models import CommunityMember, Member
from groups.models.directory import PrimaryRole
from groups.services.own_data_jobs import forget_own_data
from missionsite.common.audit.events import audit
from missionsite.common.erasures import record_erasure
from missionsite.common.transactions import service


@service
def erase(*, actor: Member, entry: CommunityMember) -> CommunityMember:
    """Overwrite the personal data of an entry and of its account, in the tables and in their history.

    The number, the role, the reputation and all counts are kept. Raises EntryErased, StaffNotErased.
    """
    current = CommunityMember.objects.lock(entry.pk, "person")
    if current.erased_at:
        raise EntryErased
    if current.person and (current.person.is_staff or current.person.is_superuser):
        raise StaffNotErased
    with connection.cursor() as cursor:
        cursor.execute("SELECT erase_directory_entry(%s)", [current.pk])
    current.refresh_from_db()
    audit("directory.erased", actor=actor, member=current.person, number=current.member_id)
    if current.erased_at:
        # For a backup that is restored later.
        transaction.on_commit(partial(record_erasure, current.pk, current.erased_at))
    if current.person_id:
        transaction.on_commit(partial(forget_own_data, current.person_id))
    erase_merged(actor=actor, entry=current)
    return current


def erase_merged(*, actor: Member, entry: CommunityMember) -> None:
    """Erase the accounts and entries that were merged into an erased entry: they are the same person's."""
    # Erasing goes by entry, so an account without one gets one.
    for account in Member.objects.filter(merged_into=entry.person_id, community=None) if entry.person_id else ():
        CommunityMember.objects.create(
            person=account,
            name=account.display_name,
            primary_role=PrimaryRole.OTHER,
            telegram_id=f"merged:{account.pk}",
            deleted_at=timezone.now(),
            merged_into_id=entry.member_id,
        )
    for absorbed in CommunityMember.objects.filter(merged_into__member_id=entry.member_id, erased_at=None):
        erase(actor=actor, entry=absorbed)
