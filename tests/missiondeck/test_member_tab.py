"""The client missions tab on the page of a member."""

import pytest

from groups.models import Member
from missiondeck.services.missions import update_deck_mission
from tests.missiondeck.run_helpers import create_runs
from tests.missiondeck.workspace_helpers import address, complete, make_mission
from tests.support.admin import client, page_text
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return client("Delivery Lead")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana", email="ana@example.org")


def page(member) -> str:
    return f"/admin/groups/member/{member.pk}/client-missions/"


def titles(response) -> list[str]:
    return [mission.title for mission in response.context["page"].rows]


def test_open_missions_are_first_by_deadline(lead, ana):
    done = make_mission(title="Done", days=-40)
    complete(done, ana, reason="Agreed")
    make_mission(title="Later", days=30)
    red = make_mission(title="Late", days=-3)
    create_runs(red, "passed", "failed")
    make_mission(title="Other", assigned_to="bea@example.org")
    response = lead.get(page(ana))
    assert titles(response) == ["Late", "Later", "Done"]
    text = page_text(response)
    for each in ("2 days overdue", "Failed", "Completed", "Acme", f'href="{address(red)}"'):
        assert each in text


def test_linked_list_has_same_missions(lead, ana):
    make_mission(title="Mine")
    make_mission(title="Other", assigned_to="bea@example.org")
    link = lead.get(page(ana)).context["list_link"]
    assert [mission.title for mission in lead.get(link).context["cl"].result_list] == ["Mine"]


def test_reassigned_mission_is_not_listed(lead, ana):
    mission = make_mission()
    update_deck_mission(actor=Member.objects.system(), mission=mission, assigned_to="bea@example.org")
    assert "No client missions are assigned to this member." in page_text(lead.get(page(ana)))


@pytest.mark.parametrize("rows", [1, 20])
def test_tab_has_fixed_number_of_queries(lead, ana, rows, django_assert_num_queries):
    for _ in range(rows):
        create_runs(make_mission(), "failed")
    lead.get(page(ana))
    # Session, user, permissions twice, member, keys, rows; for the head: directory entry,
    # lifecycle state, profile.
    with django_assert_num_queries(10):
        lead.get(page(ana))


def test_tab_needs_view_permission(ana):
    manager = client("Community Manager")
    assert manager.get(page(ana)).status_code == 403
    assert "client-missions" not in manager.get(f"/admin/groups/member/{ana.pk}/change/").content.decode()
    assert "client-missions" in client("Auditor").get(f"/admin/groups/member/{ana.pk}/change/").content.decode()
