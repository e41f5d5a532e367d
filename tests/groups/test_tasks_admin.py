"""Tasks in the back office: only the allowed moves."""

import pytest
from django.urls import reverse

from groups.models import Event, Task
from tests.support.admin import client, page_text
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/task/"


@pytest.fixture
def lead():
    return client("Delivery Lead")


def page(task, name: str = "change") -> str:
    return reverse(f"admin:groups_task_{name}", args=[task.pk])


def test_add_creates_task(lead):
    mission = MissionFactory()
    values = {"group": mission.pk, "title": "Weed", "description": "", "reward_points": 5, "due_on": ""}
    lead.post(f"{LIST}add/", values)
    task = Task.objects.get()
    assert (task.title, task.group, task.state) == ("Weed", mission, "open")
    assert Event.objects.get().type == "task.created"


@pytest.mark.parametrize(
    ("changes", "field"), [({"reward_points": -1}, "reward_points"), ({"due_on": "never"}, "due_on")]
)
def test_invalid_values_are_field_errors(lead, changes, field):
    task = TaskFactory()
    values = {"title": task.title, "description": "", "reward_points": 0, "due_on": ""}
    response = lead.post(page(task), values | changes)
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_actions_move_task_through_states(lead):
    membership = MembershipFactory()
    task = TaskFactory(group=membership.group, reward_points=7)
    lead.post(page(task, "claim"), {"member": membership.member_id})
    task.refresh_from_db()
    assert (task.state, task.claimed_by) == ("claimed", membership.member)
    lead.post(page(task, "reopen"), {"reason": "Mistake"})
    lead.post(page(task, "claim"), {"member": membership.member_id})
    lead.post(page(task, "complete"))
    membership.member.refresh_from_db()
    assert membership.member.trust_score == 7
    response = lead.post(page(task, "cancel"), {"reason": "x"})
    assert "This task is “Done”" in page_text(response)


def test_claim_rejects_non_member(lead):
    task, stranger = TaskFactory(), MemberFactory(display_name="Stranger")
    response = lead.post(page(task, "claim"), {"member": stranger.pk})
    assert response.status_code == 200
    assert "Only a member of the mission can claim its task" in page_text(response)
    assert f'value="{stranger.pk}"' in page_text(response)


def test_bulk_cancel(lead):
    tasks = TaskFactory.create_batch(2)
    cancelled = TaskFactory(state="cancelled")
    values = {"action": "cancel", "_selected_action": [task.pk for task in [*tasks, cancelled]], "apply": "1"}
    assert "2 cancelled, 1 rejected." in page_text(lead.post(LIST, values | {"reason": "Over"}))


def test_auditor_is_read_only():
    auditor, task = client("Auditor"), TaskFactory()
    assert auditor.get(page(task)).status_code == 200
    assert auditor.post(page(task), {"title": "x"}).status_code == 403
    assert auditor.post(page(task, "cancel"), {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("rows", [1, 12])
def test_list_query_count_is_constant(lead, rows, django_assert_num_queries):
    TaskFactory.create_batch(rows)
    lead.get(LIST)
    # Session, user, permissions twice, count, keys, rows, saved views.
    with django_assert_num_queries(8):
        lead.get(LIST)
