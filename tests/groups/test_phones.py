"""Phone numbers of people: one form for all spellings, on every way in, and what they are used for."""

import pytest
from django.db import IntegrityError, connection

from engagement.models import MemberAddress
from groups.models import CommunityMember, Member, PossibleDuplicate
from groups.services.directory import update_entry
from groups.services.duplicates import find_duplicates
from groups.services.erasure import erase
from missionsite.common.countries import normalize_phone
from missionsite.common.errors import ConstraintViolated
from tests.portal.helpers import invitation, typed
from tests.support.factories.engagement import PersonFactory
from tests.support.factories.groups import EntryFactory

pytestmark = pytest.mark.django_db
SAO_PAULO = "+5511912345678"


@pytest.mark.parametrize(
    ("text", "country", "stored"),
    [
        ("(11) 91234-5678", "Brasil", SAO_PAULO),
        ("011 91234 5678", "brazil", SAO_PAULO),
        ("+55 11 91234-5678", "Portugal", SAO_PAULO),
        ("tel:+55-11-91234-5678", "", SAO_PAULO),
        ("00351 912 345 678", "PT", "+351912345678"),
        ("98-4123-4567", "Nepal", "+9779841234567"),
        ("(202) 456-1111", "USA", "+12024561111"),
        ("  ", "", ""),
        (None, "Brasil", ""),
    ],
)
def test_spellings_of_a_number_are_one(text, country, stored):
    assert normalize_phone(text, country) == stored


@pytest.mark.parametrize("text", ["11 91234-5678", "ana", "+55 11 1", "+55 11 91234-5678 ext. 3", "12", "+999 1234567"])
def test_text_that_is_no_number_is_rejected(text):
    with pytest.raises(ValueError, match=r".+"):
        normalize_phone(text, "")


def test_registration_stores_phone_as_unverified_address(client):
    page = f"/join/{invitation().code}/"
    answer = client.post(page, typed(phone="91234-56", country="Brasil"))
    # At the field, with what was typed.
    assert "91234-56" in answer.content.decode()
    assert list(answer.context["form"].errors) == ["phone"]
    assert client.post(page, typed(phone="11 91234 5678", country="Brasil")).status_code == 302
    entry = CommunityMember.objects.get(phone=SAO_PAULO)
    [address] = MemberAddress.objects.filter(user=entry.person, channel="whatsapp")
    assert (address.address, address.verified_at) == (SAO_PAULO[1:], None)


def test_change_of_phone_moves_the_address():
    ana = PersonFactory(entry={"phone": SAO_PAULO, "country": "Brasil"})
    update_entry(actor=ana, entry=ana.community, own=True, phone="21 98765-4321")
    assert MemberAddress.objects.get(user=ana, channel="whatsapp").address == "5521987654321"
    # The chat that staff entered has the same number.
    type(ana.engagement_profile).objects.filter(pk=ana.pk).update(individual_jid="5521987654321@c.us")
    assert MemberAddress.objects.get(user=ana, channel="whatsapp").verified_at
    with pytest.raises(ConstraintViolated, match="no phone number"):
        update_entry(actor=ana, entry=ana.community, phone="x")


def test_database_rejects_another_form():
    with pytest.raises(IntegrityError, match="community_members_phone_format"):
        EntryFactory(phone="11 91234-5678")


def test_same_phone_is_a_possible_duplicate_until_erased():
    ana = EntryFactory(name="Ana Souza", phone=SAO_PAULO)
    EntryFactory(name="Anita S.", phone=SAO_PAULO)
    find_duplicates(actor=Member.objects.system())
    assert PossibleDuplicate.objects.get().reasons == ["phone"]
    erase(actor=Member.objects.system(), entry=ana)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM community_members_history WHERE pgh_obj_id = %s AND phone <> ''", [ana.pk])
        assert cursor.fetchone() == (0,)
    assert CommunityMember.objects.filter(phone=SAO_PAULO).count() == 1
