"""People without Telegram: what is stored instead of the ID is never shown, exported, searched or used."""

import csv
import io

import pytest
from django.test import Client

from engagement.models import MemberAddress, UserProfile
from engagement.selectors.members import claims_of
from groups.models import CommunityMember
from groups.services.directory import update_entry
from groups.services.registration import accept_invitation
from tests.portal.helpers import typed
from tests.support.admin import client, page_text
from tests.support.database import rejected_by, rows
from tests.support.errors import violates
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
VALUES = {"email": "ana@example.org", "name": "Ana", "primary_role": "designer"}


@pytest.fixture
def ana(settings):
    settings.REGISTRATION_NEEDS_TELEGRAM = False
    return accept_invitation(code=InvitationFactory().code, password="purple-otter-climbs-77", **VALUES)


def test_registration_needs_telegram_by_default():
    with violates("community_members_telegram_id_not_empty"):
        accept_invitation(code=InvitationFactory().code, **VALUES)
    page = Client().post(f"/join/{InvitationFactory().code}/", typed(telegram_id="")).content.decode()
    assert '<a href="#id_telegram_id">Telegram ID: This field is required.' in page


def test_form_registers_without_telegram(settings):
    settings.REGISTRATION_NEEDS_TELEGRAM = False
    browser, form = Client(), typed(telegram_id="", telegram_username="")
    assert browser.post(f"/join/{InvitationFactory().code}/", form)["Location"] == "/me/"
    entry = CommunityMember.objects.get(person__email=form["email"])
    assert entry.telegram_id == f"none-{entry.person.member_id}"
    assert "none-" not in browser.get("/me/").content.decode()
    assert "none-" not in browser.get("/me/messages/").content.decode()


def test_messages_never_use_the_stored_id(ana):
    assert UserProfile.objects.get(user=ana.person).individual_jid == ""
    assert claims_of(platform="telegram", sender=ana.telegram_id) == []
    assert not MemberAddress.objects.filter(address__icontains="none-").exists()
    # Negative control: an ID that is a number is an address.
    update_entry(actor=ana.person, entry=ana, telegram_id="471122")
    assert claims_of(platform="telegram", sender="471122")[0].user == ana.person


def test_pages_and_export_show_no_id(ana):
    office = client("Administrator")
    for page in ("change/", "history/", "events/"):
        assert "none-FE" not in page_text(office.get(f"/admin/groups/communitymember/{ana.pk}/{page}"))
    for query in ("none", ana.telegram_id):
        assert ana.name not in page_text(office.get(f"/admin/groups/communitymember/?q={query}")).split("Add to the")[0]
    answer = office.get("/admin/groups/communitymember/export/?q=Ana")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    assert (row["name"], row["telegram_id"]) == ("Ana", "")


def test_saving_the_page_keeps_or_sets_the_id(ana):
    office = client("Administrator")
    page = f"/admin/groups/communitymember/{ana.pk}/change/"
    values = {"name": "Ana", "primary_role": "founder", "telegram_id": ""}
    office.post(page, values)
    ana.refresh_from_db()
    assert (ana.primary_role, ana.telegram_id) == ("founder", f"none-{ana.person.member_id}")
    office.post(page, values | {"telegram_id": "4711"})
    ana.refresh_from_db()
    assert ana.shown_telegram_id == "4711"


def test_no_one_enters_the_stored_form(ana):
    code = InvitationFactory().code
    with violates("community_members_no_telegram_format"):
        accept_invitation(code=code, **VALUES | {"email": "rui@example.org", "telegram_id": "none-FE-P-00001"})
    with violates("community_members_no_telegram_format"):
        update_entry(actor=MemberFactory(), entry=EntryFactory(), telegram_id="none-of-it")
    with rejected_by("community_members_no_telegram_format"):
        rows("UPDATE community_members SET telegram_id = 'none-'")
