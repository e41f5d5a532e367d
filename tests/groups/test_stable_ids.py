"""Stable IDs: assigned by the database for every insert, never changed, never reused."""

import pytest
from django.db import IntegrityError, connection, transaction

from groups.errors import StableIdFixed, StableIdReused
from groups.models import Group, Member
from groups.services.groups import create_mission, update_group
from missionsite.common.errors import from_database, translate_db_errors
from tests.support.database import rejected_by
from tests.support.factories.groups import ColonyFactory, MemberFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db


def sql(query, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


def number(stable_id):
    return int(stable_id.rpartition("-")[2])


def rejection(query, parameters=None):
    """Translate database errors into DomainError."""
    with pytest.raises(IntegrityError) as rejected, transaction.atomic():
        sql(query, parameters)
    return type(from_database(rejected.value))


def test_each_type_has_own_prefix_and_sequence():
    mission, task = MissionFactory(), TaskFactory()
    assert mission.stable_id.startswith("FE-M-")
    assert mission.parent_group.stable_id.startswith("FE-G-")
    assert task.stable_id.startswith("FE-T-")
    assert MemberFactory().member_id.startswith("FE-P-")


def test_id_is_returned_by_insert(django_assert_num_queries):
    colony = ColonyFactory()
    with django_assert_num_queries(1):
        mission = Group.objects.create(name="New", parent_group=colony)
        assert number(mission.stable_id) > 0


def test_raw_sql_and_bulk_create_get_ids():
    colony = ColonyFactory()
    [(raw,)] = sql("INSERT INTO groups (name, parent_group_id) VALUES ('Raw', %s) RETURNING stable_id", [colony.pk])
    bulk = Group.objects.bulk_create([Group(name=f"Bulk {n}", parent_group=colony) for n in range(3)])
    numbers = [number(raw), *(number(group.stable_id) for group in bulk)]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_null_and_empty_id_get_next_id():
    colony = ColonyFactory()
    for value in (None, ""):
        [(given,)] = sql(
            "INSERT INTO groups (stable_id, name, parent_group_id) VALUES (%s, 'X', %s) RETURNING stable_id",
            [value, colony.pk],
        )
        assert given.startswith("FE-M-")


@pytest.mark.seed("000 stable IDs against groups made by hand")
@pytest.mark.parametrize("ahead", [1, 2, 1_000, 10_000_000_000])
def test_given_id_moves_sequence_past_it(ahead):
    mission = MissionFactory()
    brought = f"FE-M-{number(mission.stable_id) + ahead:05d}"
    MissionFactory(stable_id=brought, parent_group=mission.parent_group)
    later = [number(MissionFactory(parent_group=mission.parent_group).stable_id) for _n in range(3)]
    assert later == [number(brought) + step for step in (1, 2, 3)]


def test_lower_given_id_keeps_sequence():
    colony = ColonyFactory()
    first = number(MissionFactory(parent_group=colony).stable_id)
    for ahead in (5, 2):
        MissionFactory(stable_id=f"FE-M-{first + ahead:05d}", parent_group=colony)
    assert number(MissionFactory(parent_group=colony).stable_id) == first + 6


def test_ids_above_five_digits_are_not_padded():
    TaskFactory(stable_id="FE-T-99999")
    assert TaskFactory().stable_id == "FE-T-100000"


@pytest.mark.seed("000 AC1")
@pytest.mark.parametrize(
    "wrong", ["FE-G-00077", "FE-M-77", "FE-M-000077", "fe-m-00077", "FE-M-00077 ", "FE-M-" + "9" * 30, "x"]
)
def test_id_of_wrong_format_is_rejected(wrong):
    colony = ColonyFactory()
    query = "INSERT INTO groups (stable_id, name, parent_group_id) VALUES (%s, 'X', %s)"
    with rejected_by("groups_stable_id_fits_type"):
        sql(query, [wrong, colony.pk])


@pytest.mark.seed("000 ready to move: stable IDs on all groups")
@pytest.mark.parametrize(
    ("make", "column"), [(MemberFactory, "member_id"), (MissionFactory, "stable_id"), (TaskFactory, "stable_id")]
)
@pytest.mark.deletes("members", "groups", "tasks")
def test_id_never_changes_and_is_not_reused(make, column):
    row = make()
    table, given = row._meta.db_table, getattr(row, column)
    higher = given[:5] + f"{number(given) + 5:05d}"
    assert rejection(f"UPDATE {table} SET {column} = %s WHERE id = %s", [higher, row.pk]) is StableIdFixed
    sql(f"DELETE FROM {table} WHERE id = %s", [row.pk])
    with pytest.raises(StableIdReused), translate_db_errors(), transaction.atomic():
        make(**{column: given})
    assert number(getattr(make(), column)) > number(given)


def test_saving_group_keeps_id():
    mission = create_mission(actor=Member.objects.system(), name="Before", colony=ColonyFactory())
    assert update_group(actor=Member.objects.system(), group=mission, name="After").stable_id == mission.stable_id
    with pytest.raises(TypeError):
        update_group(actor=Member.objects.system(), group=mission, stable_id="FE-M-00099")


def test_site_role_cannot_change_sequences():
    for name in "pgmt":
        [(may,)] = sql(
            "SELECT has_sequence_privilege(current_user, %s, 'USAGE, SELECT, UPDATE')", [f"stable_id_{name}"]
        )
        assert may is False
    assert sql("SELECT has_function_privilege(current_user, 'next_stable_id(\"char\")', 'EXECUTE')") == [(False,)]


def test_rejected_id_releases_lock():
    colony = ColonyFactory()
    rejection("INSERT INTO groups (stable_id, name, parent_group_id) VALUES ('FE-M-123', 'X', %s)", [colony.pk])
    sql("SELECT 1 FROM groups")
    MissionFactory(stable_id="FE-M-54321")
    held = sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    assert held == [(0,)]
