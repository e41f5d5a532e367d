"""Events in the back office: read, filtered, never changed."""

import pytest
from django.urls import reverse

from groups.models import Event, Member
from groups.services.memberships import change_role, join_mission
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.groups import MemberFactory, MissionFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/event/"


@pytest.fixture
def membership():
    membership = join_mission(
        actor=Member.objects.system(), member=MemberFactory(display_name="Ana"), mission=MissionFactory(name="Garden")
    )
    change_role(actor=Member.objects.system(), membership=membership, role="Lead", reason="She leads")
    return membership


def test_list_shows_event_labels(membership):
    page = page_text(client("Auditor").get(LIST))
    assert "Joined" in page
    assert "Role changed" in page
    assert "Member → Lead" in page


def test_event_page_shows_details(membership):
    event = Event.objects.get(type="membership.role_changed")
    page = page_text(client("Auditor").get(reverse("admin:groups_event_change", args=[event.pk])))
    assert "She leads" in page
    assert "Ana" in page


def test_list_filters_by_type(membership):
    auditor = client("Auditor")
    response = auditor.get(f"{LIST}?type=membership.created")
    assert [event.type for event in response.context["cl"].result_list] == ["membership.created"]
    assert len(auditor.get(f"{LIST}?member__id__exact={membership.member_id}").context["cl"].result_list) == 2


def test_events_are_read_only(membership):
    chief = client_of(staff(is_superuser=True))
    event = Event.objects.first()
    address = reverse("admin:groups_event_change", args=[event.pk])
    assert chief.post(address, {"type": "x"}).status_code == 403
    assert chief.post(f"{LIST}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert chief.get(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("key", ["x", "9" * 40, "-1", "1.5"])
def test_unknown_event_redirects_with_message(key):
    assert client("Auditor").get(f"{LIST}{key}/change/", follow=True).status_code == 200


@pytest.mark.parametrize("rows", [1, 8])
def test_list_query_count_is_constant(rows, django_assert_num_queries):
    auditor = client("Auditor")
    for _ in range(rows):
        join_mission(actor=Member.objects.system(), member=MemberFactory(), mission=MissionFactory())
    auditor.get(LIST)
    # Session, user, permissions twice, count, keys, rows, saved views.
    with django_assert_num_queries(8):
        auditor.get(LIST)
