"""The registration fee: recorded before the approval, and one transaction for one member."""

import pytest

from groups.errors import FeeMissing
from groups.selectors.people import person_of_entry
from groups.services.directory import approve, update_entry
from groups.services.merging import merge_people, undo_merge
from tests.support.admin import client, page_text
from tests.support.database import rejected_by, rows
from tests.support.errors import violates
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor():
    return StaffFactory(is_superuser=True)


def test_approval_needs_recorded_fee(actor, settings):
    settings.REGISTRATION_FEE_REQUIRED = True
    entry = EntryFactory(status="pending")
    with pytest.raises(FeeMissing):
        approve(actor=actor, entry=entry)
    office = client("Community Manager")
    page = f"/admin/groups/communitymember/{entry.pk}/approve/"
    assert "fee of this member is not recorded" in page_text(office.post(page, {"reason": ""}))
    update_entry(actor=actor, entry=entry, registration_fee_paid=True, registration_fee_tx_hash="0xab")
    assert approve(actor=actor, entry=entry).status == "active"


def test_approval_needs_no_fee_by_default(actor):
    assert approve(actor=actor, entry=EntryFactory(status="pending")).status == "active"


def test_transaction_pays_for_one_member(actor):
    EntryFactory(registration_fee_tx_hash="0xab")
    other = EntryFactory()
    with violates("community_members_fee_tx_once", match="Another member has paid"):
        update_entry(actor=actor, entry=other, registration_fee_tx_hash=" 0xab ")
    with rejected_by("community_members_fee_tx_once"):
        rows("UPDATE community_members SET registration_fee_tx_hash = '0xab' WHERE id = %s", [other.pk])
    # None is no transaction.
    EntryFactory.create_batch(2, registration_fee_tx_hash=None)


def test_merge_moves_transaction_and_undo_gives_it_back(actor):
    kept, absorbed = EntryFactory(), EntryFactory(registration_fee_tx_hash="0xab", registration_fee_paid=True)
    merge = merge_people(actor=actor, kept=person_of_entry(kept), absorbed=person_of_entry(absorbed))
    kept.refresh_from_db()
    assert (kept.registration_fee_tx_hash, kept.registration_fee_paid) == ("0xab", True)
    assert undo_merge(actor=actor, merge=merge) == 0
    kept.refresh_from_db()
    absorbed.refresh_from_db()
    assert (kept.registration_fee_tx_hash, absorbed.registration_fee_tx_hash) == (None, "0xab")
