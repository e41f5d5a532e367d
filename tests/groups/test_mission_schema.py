"""The columns, keys and indexes that the mission schema migration adds, and the rows that its tables reject."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.support.database import assert_rejects_alone, rejected_by
from tests.support.factories.groups import (
    ColonyFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    TaskFactory,
)

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


# --- Rejected rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values", "rule"),
    [
        (ColonyFactory, {"min_trust_score": 5}, "groups_colony_has_no_threshold"),
        (MissionFactory, {"parent_group": None}, "groups_parent_fits_type"),
        (ColonyFactory, {"parent_group": ColonyFactory}, "groups_parent_fits_type"),
        (MissionFactory, {"status": "lost"}, "groups_status_known"),
        (MemberFactory, {"member_id": "FE-P-1"}, "members_member_id_format"),
        (MembershipFactory, {"status": "left"}, "memberships_left_at_fits_status"),
        (MembershipFactory, {"left_at": timezone.now}, "memberships_left_at_fits_status"),
        (TaskFactory, {"stable_id": "FE-T-1"}, "tasks_stable_id_format"),
        (TaskFactory, {"state": "claimed"}, "tasks_claimed_by_fits_state"),
        (TaskFactory, {"claimed_by": MemberFactory}, "tasks_claimed_by_fits_state"),
    ],
)
def test_check_rejects_invalid_row(make, values, rule):
    make()
    with rejected_by(rule):
        make(**{name: value() if callable(value) else value for name, value in values.items()})


def test_unknown_type_of_group_is_rejected():
    assert_rejects_alone(
        "groups_type_known",
        "INSERT INTO groups (name, type) VALUES ('X', 'lost')",
        prepare="""ALTER TABLE groups DROP CONSTRAINT groups_parent_fits_type,
                       DROP CONSTRAINT groups_stable_id_fits_type, DROP CONSTRAINT groups_colony_has_no_threshold""",
    )


NEW_MISSION = """INSERT INTO groups (name, type) VALUES ('Colony', 'colony');
    INSERT INTO groups (name, parent_group_id) SELECT 'Mission', id FROM groups WHERE name = 'Colony'"""


def test_unknown_status_of_membership_is_rejected():
    assert_rejects_alone(
        "memberships_status_known",
        f"""{NEW_MISSION}; INSERT INTO members (email, display_name) VALUES ('ana@example.org', 'Ana');
            INSERT INTO memberships (group_id, member_id, status)
            SELECT g.id, m.id, 'lost' FROM groups g, members m
            WHERE g.name = 'Mission' AND m.email = 'ana@example.org'""",
        prepare="ALTER TABLE memberships DROP CONSTRAINT memberships_left_at_fits_status",
    )


def test_unknown_state_of_task_is_rejected():
    assert_rejects_alone(
        "tasks_state_known",
        f"""{NEW_MISSION};
           INSERT INTO tasks (group_id, title, state) SELECT id, 'X', 'lost' FROM groups WHERE name = 'Mission'""",
        prepare="ALTER TABLE tasks DROP CONSTRAINT tasks_claimed_by_fits_state",
    )


def test_type_of_group_is_immutable():
    colony = ColonyFactory()
    sql("UPDATE groups SET type = 'colony', name = 'Same type' WHERE id = %s RETURNING id", [colony.pk])
    with rejected_by("groups_type_never_changes"):
        sql("UPDATE groups SET type = 'mission' WHERE id = %s RETURNING id", [colony.pk])
