"""What pages weigh: bytes on the wire, elements and queries. Their time is measured by benchmarks/pages.py."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.pages import MOST_BYTES, MOST_NODES, weigh
from fallback.models import Mission
from tests.fallback.proposals import a_review
from tests.support.admin import client_of
from tests.support.factories.fallback import ProjectFactory
from tests.support.factories.groups import MemberFactory, MissionFactory, StaffFactory

pytestmark = pytest.mark.django_db
LISTS = ("groups/member", "groups/membership", "groups/mission", "fallback/mission", "fallback/missionfallbackitem")
CARDS = {"X-Cards": "todo=50,doing=50,review=50,done=50"}


@pytest.fixture(scope="module")
def rows(django_db_setup, django_db_blocker):
    """Enough rows for full pages: people, a membership of each, missions, proposals, and 50 cards in each list."""
    from groups.models import Membership
    from groups.models import Mission as GroupMission
    from tests.support.database import shared_rows

    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            people, group = MemberFactory.create_batch(50), MissionFactory()
            at = timezone.now() - timedelta(days=1)
            Membership.objects.bulk_create(Membership(member=each, group_id=group.pk, joined_at=at) for each in people)
            GroupMission.objects.bulk_create(
                GroupMission(name=f"Mission {number}", parent_group=group.parent_group, min_trust_score=0)
                for number in range(50)
            )
            a_review(60)
            project = ProjectFactory()
            Mission.objects.bulk_create(
                Mission(project=project, title=f"Card {number}", list=name, list_order=number)
                for name in ("todo", "doing", "review", "done")
                for number in range(50)
            )
        yield project


def weight(path: str, **headers: str) -> dict[str, int]:
    office = client_of(StaffFactory(is_superuser=True))
    office.get(path)
    with CaptureQueriesContext(connection) as queries:
        response = office.get(path, headers=headers)
    assert response.status_code == 200
    return {**weigh(response.content), "queries": len(queries)}


@pytest.mark.parametrize("name", LISTS)
def test_list_of_50_rows_is_light(rows, name):
    found = weight(f"/admin/{name}/")
    assert found["wire"] <= MOST_BYTES
    assert found["nodes"] <= MOST_NODES
    # Two of them read the tags and custom fields that the filters offer.
    assert found["queries"] <= 9


def test_review_of_50_proposals_is_light(rows):
    found = weight("/admin/fallback/missionfallbackitem/review/")
    assert found["nodes"] <= MOST_NODES
    assert found["wire"] <= MOST_BYTES


def test_board_of_200_cards_is_light(rows):
    path = f"/admin/fallback/project/{rows.pk}/board/"
    whole, first = weight(path, **CARDS), weight(path)
    assert whole["nodes"] <= MOST_NODES
    # Cards of lists that were not scrolled are not loaded.
    assert first["nodes"] <= whole["nodes"] * 2 / 3
    assert first["wire"] <= MOST_BYTES
