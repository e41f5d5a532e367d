"""Events in the back office: read, filtered, never changed."""

import pytest
from django.urls import reverse

from groups.models import Event
from groups.services.memberships import change_role, join_mission
from tests.support.admin import client, client_of, staff, words
from tests.support.factories.groups import MemberFactory, MissionFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/event/"


@pytest.fixture
def membership():
    membership = join_mission(member=MemberFactory(display_name="Ana"), mission=MissionFactory(name="Garden"))
    change_role(membership=membership, role="Lead", reason="She leads")
    return membership


def test_are_told_in_words(membership):
    page = words(client("Auditor").get(LIST))
    assert "Joined" in page
    assert "Role changed" in page
    assert "Member → Lead" in page


def test_one_event_shows_its_details(membership):
    event = Event.objects.get(type="membership.role_changed")
    page = words(client("Auditor").get(reverse("admin:groups_event_change", args=[event.pk])))
    assert "She leads" in page
    assert "Ana" in page


def test_are_filtered_by_what_happened(membership):
    auditor = client("Auditor")
    response = auditor.get(f"{LIST}?type=membership.created")
    assert [event.type for event in response.context["cl"].result_list] == ["membership.created"]
    assert len(auditor.get(f"{LIST}?member__id__exact={membership.member_id}").context["cl"].result_list) == 2


def test_cannot_be_changed_by_anyone(membership):
    chief = client_of(staff(is_superuser=True))
    event = Event.objects.first()
    address = reverse("admin:groups_event_change", args=[event.pk])
    assert chief.post(address, {"type": "x"}).status_code == 403
    assert chief.post(f"{LIST}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert chief.get(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("key", ["x", "9" * 40, "-1", "1.5"])
def test_an_odd_key_leads_home_with_a_word(key):
    assert client("Auditor").get(f"{LIST}{key}/change/", follow=True).status_code == 200


@pytest.mark.parametrize("rows", [1, 8])
def test_the_list_makes_a_fixed_number_of_queries(rows, django_assert_num_queries):
    auditor = client("Auditor")
    for _ in range(rows):
        join_mission(member=MemberFactory(), mission=MissionFactory())
    auditor.get(LIST)
    # Session, user, rights twice, roles in projects, count, keys, rows.
    with django_assert_num_queries(8):
        auditor.get(LIST)
