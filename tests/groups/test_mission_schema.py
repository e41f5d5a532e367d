"""The columns, keys and indexes the mission schema migration adds, as the database's catalogue has them."""

import pytest
from django.db import IntegrityError, connection, transaction

from tests.support.factories.groups import MissionFactory

pytestmark = pytest.mark.django_db


def sql(query, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def column(table, name):
    """Type, whether NULL is allowed, and default of a column."""
    found = sql(
        """SELECT data_type, is_nullable, column_default FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name = %s AND column_name = %s""",
        [table, name],
    )
    return found[0] if found else None


@pytest.mark.seed(
    "000 AC1",
    "000 Step 1",
    "000 Step 3",
    "000 stable IDs on 90 % of the groups or more: here on all, by NOT NULL",
    "000 no group without a stable ID",
)
def test_groups_have_stable_id_and_threshold():
    assert column("groups", "stable_id") == ("text", "NO", None)
    assert column("groups", "min_trust_score") == ("integer", "YES", "0")


@pytest.mark.seed("000 AC1")
def test_duplicate_stable_id_is_rejected():
    mission = MissionFactory()
    with pytest.raises(IntegrityError) as rejected, transaction.atomic():
        MissionFactory(stable_id=mission.stable_id)
    assert rejected.value.__cause__.sqlstate == "23505"


@pytest.mark.seed("000 AC2", "000 Step 4")
def test_memberships_have_leave_tracking():
    assert column("memberships", "left_at") == ("timestamp with time zone", "YES", None)
    assert column("memberships", "status") == ("text", "NO", "'active'::text")


@pytest.mark.seed("000 AC3")
def test_membership_has_uuid_primary_key():
    assert sql(
        """SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
           WHERE i.indrelid = 'memberships'::regclass AND i.indisprimary"""
    ) == [("id",)]


@pytest.mark.seed("000 AC3", "000 Step 5")
def test_migration_adds_indexes():
    found = dict(sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('memberships', 'tasks')"))
    unique = found["idx_memberships_active_unique"]
    assert unique.startswith("CREATE UNIQUE INDEX")
    assert unique.endswith("(member_id, group_id) WHERE (status = 'active'::text)")
    assert found["idx_memberships_status"].endswith("(status)")
    assert found["idx_memberships_group_active"].endswith("(group_id, status) WHERE (status = 'active'::text)")
    assert found["idx_memberships_member_group"].endswith("(member_id, group_id)")
    assert found["idx_tasks_group_state"].endswith("(group_id, state) WHERE (state = 'open'::text)")


@pytest.mark.seed("000 Step 1")
@pytest.mark.parametrize(
    "described",
    [
        "col_description('groups'::regclass, (SELECT attnum FROM pg_attribute"
        " WHERE attrelid = 'groups'::regclass AND attname = 'stable_id'))",
        "col_description('groups'::regclass, (SELECT attnum FROM pg_attribute"
        " WHERE attrelid = 'groups'::regclass AND attname = 'min_trust_score'))",
        "obj_description('groups'::regclass)",
        "obj_description('memberships'::regclass)",
        "obj_description('get_active_missions'::regproc)",
        "obj_description('get_mission_members'::regproc)",
    ],
)
def test_migration_adds_comments(described):
    assert sql(f"SELECT {described}")[0][0]
