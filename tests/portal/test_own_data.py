"""Export of a member's own data: what it has, what it leaves out, and who gets it."""

import json
import zipfile
from io import BytesIO

import pytest

from engagement.models import MessageTemplate
from engagement.rules import TransitionTrigger
from engagement.services.lifecycle import transition
from engagement.services.messages import enqueue
from missionsite.common.own_data import NotExported, own_data_sources, unregistered
from missionsite.common.references import references
from tests.portal.helpers import entry
from tests.support.factories.directory import RelationshipFactory
from tests.support.factories.groups import MembershipFactory, StaffFactory

pytestmark = pytest.mark.django_db
PAGE = "/me/data/"


def files_of(answer) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_every_reference_is_exported_or_has_a_reason():
    assert unregistered() == set()
    known = {(each.model.lower(), each.field) for each in references()}
    assert {(each.model.lower(), each.field) for each in own_data_sources()} == known
    assert all(str(each.why) for each in own_data_sources() if isinstance(each, NotExported))


def test_member_downloads_own_data_only(as_member):
    ana, bob, staff = entry(name="Ana Souza"), entry(name="Bob Private"), StaffFactory(display_name="Staff Person")
    MembershipFactory(member=ana.person, role="lead")
    MembershipFactory(member=bob.person)
    RelationshipFactory(entity_id_a=str(ana.pk), entity_id_b=str(bob.pk))
    transition(actor=staff, member=ana.person, trigger=TransitionTrigger.INACTIVITY_14D)
    enqueue(member=bob.person, message_type="reminder")
    found = files_of(as_member(ana).post(PAGE))
    [member] = json.loads(found["groups/member.json"])
    assert (member["email"], member["display_name"]) == (ana.person.email, "Ana Souza")
    [membership] = json.loads(found["groups/membership.member.json"])
    assert membership["role"] == "lead"
    [message] = json.loads(found["engagement/engagementmessage.user.json"])
    assert message["message_type"] == "goodbye"
    [move] = json.loads(found["engagement/engagementstatetransition.user.json"])
    assert "by" not in move["metadata"]
    whole = "\n".join(found.values())
    others = (bob.person.email, "Bob Private", str(bob.pk), bob.member_id, str(bob.person_id), "Staff Person")
    assert [each for each in others if each in whole] == []
    assert ana.person.password not in whole
    assert "Sealed copies" in found["not_included.json"]
    assert MessageTemplate.objects.first().body not in whole


def test_old_log_in_must_be_confirmed(as_member, settings):
    browser = as_member(entry())
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    answer = browser.post(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/")
    assert "next=%2Fme%2Fdata%2F" in answer["Location"]


def test_visitor_is_sent_to_log_in(client):
    assert client.post(PAGE)["Location"].startswith("/login/")
