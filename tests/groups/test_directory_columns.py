"""Columns, indexes and foreign keys of the directory, as the seed describes them."""

import psycopg
import pytest

from tests.groups.directory_tables import INDEXES, SEED, TABLES, insert, least, rejected_with
from tests.support.concurrency import execute_as_owner
from tests.support.database import rejected_by, row, rows
from tests.support.factories.groups import EntryFactory

pytestmark = pytest.mark.django_db


# Where the tables differ from the seed: (type, empty, default) instead, and why.
OURS = {
    # Derived from the score.
    ("community_members", "reputation_tier"): ("character varying(50)", "empty", "generated"),
    # The default count is 0 and the default fee is unpaid; NULL has no meaning for either.
    ("community_members", "registration_fee_paid"): ("boolean", "needed", "false"),
    ("member_daily_highlights", "message_count"): ("integer", "needed", "0"),
    ("member_daily_highlights", "reaction_count"): ("integer", "needed", "0"),
    ("member_daily_highlights", "voice_minutes"): ("integer", "needed", "0"),
    ("member_daily_highlights", "reputation_earned"): ("integer", "needed", "0"),
    # Optional, without a default.
    ("member_relationships", "content"): ("jsonb", "needed", "'{}'"),
    # Added to the seed: the recipient of an invitation, and invitations for several people.
    ("community_invitations", "invited_email"): ("character varying(255)", "empty", "-"),
    ("community_invitations", "invited_name"): ("character varying(255)", "empty", "-"),
    ("community_invitations", "max_uses"): ("integer", "needed", "1"),
    ("community_invitations", "uses"): ("integer", "needed", "0"),
    # Added to the seed: the account, the phone, the entry it was merged into, the erasure, and members of entities.
    ("community_members", "person_id"): ("uuid", "empty", "-"),
    ("community_members", "phone"): ("character varying(16)", "empty", "-"),
    ("community_members", "merged_into"): ("character varying(20)", "empty", "-"),
    ("community_members", "erased_at"): ("timestamp with time zone", "empty", "-"),
    ("member_relationships", "member_a_id"): ("uuid", "empty", "-"),
    ("member_relationships", "member_b_id"): ("uuid", "empty", "-"),
}


def seed_columns():
    """{(table, column): (type, empty, default)} of the seed."""
    columns, table = {}, ""
    for line in filter(None, SEED.splitlines()):
        if not line.startswith(" "):
            table = line
            continue
        name, rest = line.split(None, 1)
        type_, empty, default = (part.strip() for part in rest.rsplit(None, 2))
        columns[table, name] = (type_, empty, default)
    return columns


# --- Tables, columns, indexes -----------------------------------------------------------------


@pytest.mark.seed(
    "003 AC1",
    "003 AC2",
    "003 AC3",
    "003 AC4",
    "003 AC5",
    "003 AC10",
    "003 Task 2",
    "003 Unit 3",
    "003 Integration 2",
    "003 Lengths",
    "003 Defaults",
)
def test_seed_columns_have_type_length_and_default():
    found = rows(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'needed' ELSE 'empty' END,
            CASE WHEN a.attgenerated <> '' THEN 'generated'
                ELSE replace(coalesce(nullif(regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::[a-z ]+$', ''), 'NULL'),
                    '-'), 'CURRENT_TIMESTAMP', 'now()') END
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relname = ANY (%s)
        """,
        [TABLES],
    )
    assert {(table, column): tuple(facts) for table, column, *facts in found} == seed_columns() | OURS
    assert len(seed_columns()) == 54


@pytest.mark.seed("003 AC1", "003 AC2", "003 AC3", "003 AC4", "003 AC5", "003 AC7", "003 Task 8")
def test_seed_indexes_exist_with_their_columns():
    found = rows(
        """
        SELECT i.relname, t.relname, x.indisunique,
            ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true) FROM generate_series(1, x.indnkeyatts) k)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        WHERE i.relname = ANY (%s) AND x.indisvalid AND x.indpred IS NULL
        """,
        [list(INDEXES)],
    )
    assert {name: (table, columns, unique) for name, table, unique, columns in found} == INDEXES


# --- Required columns -----------------------------------------------------------------


@pytest.mark.seed("003 Task 4")
def test_entry_requires_telegram_id_name_and_role():
    made = insert("community_members", **least("community_members"))
    assert made["member_id"].startswith("#")
    assert made["created_at"] == made["updated_at"] == row("SELECT now()")[0]
    assert made["id"].version == 4
    given = {"status", "reputation_score", "reputation_tier", "github_verified", "registration_fee_paid"}
    assert {name: made[name] for name in given} == {
        "status": "not_member",
        "reputation_score": 0,
        "reputation_tier": "Novice",
        "github_verified": False,
        "registration_fee_paid": False,
    }
    filled = given | {"id", "member_id", "telegram_id", "name", "primary_role", "created_at", "updated_at"}
    assert {name for name, value in made.items() if value is not None} == filled


@pytest.mark.seed("003 Task 3")
def test_invitation_requires_code_inviter_and_expiry():
    made = insert("community_invitations", **least("community_invitations"))
    assert made["status"] == "pending"
    assert made["created_at"] == made["updated_at"] == row("SELECT now()")[0]
    assert (made["accepted_by"], made["accepted_at"], made["invited_telegram_username"]) == (None, None, None)


@pytest.mark.seed("003 Task 5")
def test_relationship_requires_two_entities_and_type():
    made = insert("member_relationships", returning="*, created_at = now() AS now", **least("member_relationships"))
    assert (made["content"], made["now"], made["id"].version) == ("{}", True, 4)


@pytest.mark.seed("003 Task 6")
def test_participation_requires_member_type_and_room():
    made = insert("member_participation", returning="*, occurred_at = now() AS now", **least("member_participation"))
    assert (made["now"], made["event_metadata"], made["id"].version) == (True, None, 4)


@pytest.mark.seed("003 Integration 4")
@pytest.mark.parametrize("table", [table for table in TABLES if table != "member_daily_highlights"])
def test_required_columns_are_not_null(table):
    for column in least(table):
        values = least(table)
        del values[column]
        # The links of a relationship are optional; its entities are required.
        with rejected_with("23502"):
            insert(table, **values)


@pytest.mark.seed("003 Task 7")
def test_only_roll_up_writes_highlights():
    with rejected_with("42501"):
        insert("member_daily_highlights", member_id=EntryFactory().member_id, highlight_date="2026-03-01")


# --- Foreign keys -----------------------------------------------------------------------------


@pytest.mark.seed("003 AC6", "003 Task 9", "003 Integration 5")
@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("community_invitations", {"created_by": "#999999"}),
        ("community_invitations", {"status": "accepted", "accepted_by": "#999999", "accepted_at": "2026-03-01Z"}),
        ("community_members", {"invited_by": "#999999"}),
        ("community_members", {"person_id": "11111111-2222-4333-8444-555555555555"}),
        ("member_participation", {"member_id": "#999999"}),
    ],
    ids=["created_by", "accepted_by", "invited_by", "person", "participation"],
)
def test_invalid_reference_is_rejected(table, values):
    with rejected_with("23503"):
        insert(table, **least(table, **values))


def test_highlight_requires_member():
    # As the owner: the site's role cannot write highlights.
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        execute_as_owner("INSERT INTO member_daily_highlights (member_id, highlight_date) VALUES ('#999999', now())")


@pytest.mark.seed("003 AC6", "003 Task 9", "003 Integration 5")
def test_every_reference_is_a_foreign_key():
    found = rows(
        """
        SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text, f.attname
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
            JOIN pg_attribute f ON f.attrelid = confrelid AND f.attnum = confkey[1]
        WHERE contype = 'f' AND convalidated AND conrelid = ANY (%s::regclass[])
        """,
        [TABLES],
    )
    assert sorted(found) == [
        ("community_invitations", "accepted_by", "community_members", "member_id"),
        ("community_invitations", "created_by", "community_members", "member_id"),
        ("community_members", "invited_by", "community_members", "member_id"),
        ("community_members", "merged_into", "community_members", "member_id"),
        ("community_members", "person_id", "members", "id"),
        ("member_daily_highlights", "member_id", "community_members", "member_id"),
        ("member_participation", "member_id", "community_members", "member_id"),
        ("member_relationships", "member_a_id", "community_members", "id"),
        ("member_relationships", "member_b_id", "community_members", "id"),
    ]


@pytest.mark.deletes("community_members")
@pytest.mark.parametrize("table", ["community_invitations", "member_relationships", "member_participation"])
def test_referenced_member_cannot_be_deleted(table):
    values = least(table)
    insert(table, **values)
    number = next(value for value in values.values() if value.startswith("#"))
    with rejected_with("23503"):
        rows("DELETE FROM community_members WHERE member_id = %s", [number])


def test_account_has_one_entry_at_most():
    entry = EntryFactory()
    with rejected_by("community_members_person_id_key"):
        insert("community_members", **least("community_members", person_id=entry.person_id))
