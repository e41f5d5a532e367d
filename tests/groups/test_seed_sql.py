"""The seed's own SQL, run as the site's role on a migrated and seeded database."""

import pytest
from django.core.management import call_command
from django.db import connection

from groups.models import Member, Task

pytestmark = pytest.mark.django_db

SYSTEM = "00000000-0000-0000-0000-000000000000"
WEBINARS = "20000000-0000-0000-0000-000000000001"


def rows(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@pytest.mark.seed("000 Step 6", "000 three seeded missions")
def test_seeds_load_twice_with_the_same_rows(seeds):
    tables = ["members", "groups", "memberships", "tasks"]
    before = [rows(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id") for table in tables]
    history = rows("SELECT count(*) FROM memberships_history")
    call_command("loaddata", "seeds", verbosity=0)
    assert [rows(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id") for table in tables] == before
    assert rows("SELECT count(*) FROM memberships_history") == history


@pytest.mark.seed("000 Test 2", "000 IDs of colony, missions and system member (10000000-…, 20000000-…, 00000000-…)")
def test_system_member_exists(seeds):
    assert rows("SELECT id::text FROM members WHERE id = %s", [SYSTEM]) == [(SYSTEM,)]


def test_seeds_keep_their_ids(seeds):
    assert set(Member.objects.values_list("member_id", flat=True)) >= {f"FE-P-{n:05d}" for n in range(13)}
    assert Task.objects.filter(stable_id="FE-T-00011").exists()
