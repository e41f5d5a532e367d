"""Lists of one group use its index, however many newer rows other groups have."""

import pytest

from groups.models import Membership, Task
from tests import database
from tests.fallback.test_indexes import load_fast, plan_of, plan_without
from tests.support.admin import client_of
from tests.support.factories.groups import StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.reading import excess

COLONY, BUSY, OLD = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 4))
# 100,000 memberships and tasks, one in ten in the old mission and before all others; most of the old ones have ended.
ROWS = f"""
    INSERT INTO members (id, member_id, email, display_name)
    SELECT md5(i::text)::uuid, 'FE-P-' || 10000 + i, 'member' || i || '@example.org', 'Member'
    FROM generate_series(1, 50000) i;
    INSERT INTO groups (id, stable_id, name, type, parent_group_id, min_trust_score) VALUES
        ('{COLONY}', 'FE-G-00001', 'Colony', 'colony', NULL, NULL),
        ('{BUSY}', 'FE-M-00001', 'Busy', 'mission', '{COLONY}', 0),
        ('{OLD}', 'FE-M-00002', 'Old', 'mission', '{COLONY}', 0);
    INSERT INTO memberships (member_id, group_id, joined_at, status, left_at)
    SELECT md5((1 + i % 50000)::text)::uuid, g.id, g.at, g.status,
        CASE g.status WHEN 'left' THEN g.at + interval '1 hour' END
    FROM generate_series(1, 100000) i, LATERAL (SELECT
        CASE WHEN i > 90000 THEN '{OLD}' ELSE '{BUSY}' END::uuid, now() - i * interval '10 minutes',
        CASE WHEN i <= 40000 OR i > 99900 THEN 'active' ELSE 'left' END) g (id, at, status);
    INSERT INTO tasks (stable_id, group_id, title, created_at)
    SELECT 'FE-T-' || 100000 + i, CASE WHEN i > 90000 THEN '{OLD}' ELSE '{BUSY}' END::uuid, 'Task',
        now() - i * interval '10 minutes' FROM generate_series(1, 100000) i;
"""


@pytest.fixture(scope="module", autouse=True)
def history(django_db_setup):
    database.restore()
    load_fast(ROWS, "members", "groups", "memberships", "tasks")
    yield
    database.restore()


OF_OLD = {
    "search by the mission's stable ID": lambda: Membership.objects.filter(group__in=[OLD])[:1001],
    "members now": lambda: Membership.objects.filter(group=OLD, status="active").values_list("pk")[:51],
    "members before": lambda: Membership.objects.filter(group=OLD, status="left").values_list("pk")[:51],
    "tasks": lambda: Task.objects.filter(group=OLD).values_list("pk")[:51],
}


@pytest.mark.django_db
@pytest.mark.parametrize("question", OF_OLD)
def test_list_of_one_group_uses_its_index(question):
    used, removed = plan_of(OF_OLD[question]())
    assert used & {"memberships_of_group", "memberships_of_group_status", "tasks_of_group"}, used
    assert removed == 0


@pytest.mark.django_db
def test_recent_leavers_count_uses_index():
    lately = Membership.objects.filter(status="left", left_at__gte="2126-01-01T00:00Z").order_by()
    used, _removed = plan_of(lately.values("pk"))
    assert "memberships_left" in used


MEMBERSHIPS, TASKS, MEMBERS = (f"/admin/groups/{name}/" for name in ("membership", "task", "member"))
PAGES = (
    "/admin/",
    MEMBERSHIPS,
    f"{MEMBERSHIPS}?q=FE-M-00002",
    f"{MEMBERSHIPS}?q=FE-P-10001",
    f"{MEMBERSHIPS}?status__exact=left",
    f"{MEMBERSHIPS}?status__exact=active",
    f"{MEMBERSHIPS}?group__id__exact={OLD}&status__exact=active",
    f"/admin/groups/mission/{OLD}/change/",
    f"/admin/groups/mission/{OLD}/members/",
    f"/admin/groups/mission/{OLD}/tasks/",
    TASKS,
    f"{TASKS}?state__exact=done",
    f"{TASKS}?group__id__exact={OLD}",
    MEMBERS,
    f"{MEMBERS}?q=member1",
    f"{MEMBERS}?is_staff__exact=1",
    f"{MEMBERS}?is_active__exact=0",
    "/admin/engagement/userengagementstate/lifecycle/",
    "/admin/groups/mission/",
)


@pytest.mark.django_db
def test_pages_read_at_most_20_times_their_rows():
    office = client_of(StaffFactory(is_superuser=True, email="office@example.org"))
    found = {path: statements for path in PAGES if (statements := excess(office, path))}
    assert not found


@pytest.mark.django_db
def test_api_reads_at_most_20_times_its_rows():
    api = api_client(StaffFactory(is_superuser=True, email="office@example.org"))
    for path in ("/api/missions", "/api/missions/FE-M-00002/members", "/api/missions/FE-M-00001/members"):
        assert not excess(api, path)


@pytest.mark.django_db
def test_filter_by_status_without_index_reads_all():
    """Negative control: the data is skewed enough to show the problem."""
    _used, removed = plan_without(
        "memberships_by_status", Membership.objects.filter(status="left").values_list("pk")[:51]
    )
    assert removed > 20 * 50


@pytest.mark.long
def test_list_of_one_group_scans_without_index():
    """Negative control: without the index, the data is skewed enough to show the problem."""
    _used, removed = plan_without("memberships_of_group", OF_OLD["search by the mission's stable ID"]())
    assert removed >= 90_000
