"""Rules of the directory that the database enforces: raw SQL as the site's role."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import sql
from psycopg.types.json import Jsonb

from groups.errors import StatusMoveRejected
from groups.models import CommunityMember
from groups.services import directory
from tests.support.concurrency import crowd, execute_as_owner
from tests.support.database import commit, rejected_by, row, rows
from tests.support.factories.groups import EntryFactory, InvitationFactory

pytestmark = pytest.mark.django_db

STATUSES = ["not_member", "pending", "active", "suspended", "banned"]
CODE = "23456789ABCDEFGH"

# The columns of the seed: type, whether it may be empty, default. Instants have a time zone here.
SEED = """
community_invitations
    invitation_id             uuid                      needed  gen_random_uuid()
    invitation_code           character varying(16)     needed  -
    created_by                character varying(20)     needed  -
    invited_telegram_username character varying(255)    empty   -
    status                    character varying(20)     needed  'pending'
    expires_at                timestamp with time zone  needed  -
    accepted_by               character varying(20)     empty   -
    accepted_at               timestamp with time zone  empty   -
    created_at                timestamp with time zone  needed  now()
    updated_at                timestamp with time zone  needed  now()
community_members
    id                        uuid                      needed  gen_random_uuid()
    member_id                 character varying(20)     needed  -
    telegram_id               character varying(255)    needed  -
    telegram_username         character varying(255)    empty   -
    name                      character varying(255)    needed  -
    primary_role              character varying(50)     needed  -
    organization              character varying(255)    empty   -
    country                   character varying(100)    empty   -
    github_username           character varying(255)    empty   -
    github_verified           boolean                   needed  false
    github_verified_at        timestamp with time zone  empty   -
    github_profile_data       jsonb                     empty   -
    status                    character varying(20)     needed  'not_member'
    reputation_score          integer                   needed  0
    reputation_tier           character varying(50)     empty   'Novice'
    invited_by                character varying(20)     empty   -
    registration_fee_paid     boolean                   empty   false
    registration_fee_tx_hash  character varying(255)    empty   -
    profile_data              jsonb                     empty   -
    created_at                timestamp with time zone  needed  now()
    updated_at                timestamp with time zone  needed  now()
    last_active_at            timestamp with time zone  empty   -
    deleted_at                timestamp with time zone  empty   -
member_relationships
    id                        uuid                      needed  gen_random_uuid()
    entity_id_a               character varying(255)    needed  -
    entity_id_b               character varying(255)    needed  -
    relationship_type         character varying(50)     needed  -
    content                   jsonb                     needed  -
    created_at                timestamp with time zone  needed  now()
member_participation
    id                        uuid                      needed  gen_random_uuid()
    member_id                 character varying(20)     needed  -
    event_type                character varying(50)     needed  -
    platform                  character varying(50)     needed  -
    room_id                   character varying(255)    needed  -
    event_metadata            jsonb                     empty   -
    occurred_at               timestamp with time zone  needed  now()
member_daily_highlights
    id                        uuid                      needed  gen_random_uuid()
    member_id                 character varying(20)     needed  -
    highlight_date            date                      needed  -
    message_count             integer                   empty   0
    reaction_count            integer                   empty   0
    voice_minutes             integer                   empty   0
    reputation_earned         integer                   empty   0
    created_at                timestamp with time zone  needed  now()
"""

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
    # Added to the seed: the account, the erasure, and the members of entities.
    ("community_members", "person_id"): ("uuid", "empty", "-"),
    ("community_members", "erased_at"): ("timestamp with time zone", "empty", "-"),
    ("member_relationships", "member_a_id"): ("uuid", "empty", "-"),
    ("member_relationships", "member_b_id"): ("uuid", "empty", "-"),
}
TABLES = [line for line in SEED.splitlines() if line and not line.startswith(" ")]

# The indexes of the seed, and the three added to them: table, columns, unique.
INDEXES = {
    "invitation_code_idx": ("community_invitations", ["invitation_code"], True),
    "invitation_status_idx": ("community_invitations", ["status"], False),
    "invitation_created_by_idx": ("community_invitations", ["created_by"], False),
    "invitation_expires_at_idx": ("community_invitations", ["expires_at"], False),
    "community_members_member_id_key": ("community_members", ["member_id"], True),
    "member_telegram_id_idx": ("community_members", ["telegram_id"], True),
    "member_github_username_idx": ("community_members", ["github_username"], False),
    "member_status_idx": ("community_members", ["status"], False),
    "member_reputation_score_idx": ("community_members", ["reputation_score"], False),
    "member_primary_role_idx": ("community_members", ["primary_role"], False),
    "relationship_entity_a_idx": ("member_relationships", ["entity_id_a"], False),
    "relationship_entity_b_idx": ("member_relationships", ["entity_id_b"], False),
    "relationship_type_idx": ("member_relationships", ["relationship_type"], False),
    "participation_member_id_idx": ("member_participation", ["member_id"], False),
    "participation_event_type_idx": ("member_participation", ["event_type"], False),
    "participation_platform_idx": ("member_participation", ["platform"], False),
    "participation_occurred_at_idx": ("member_participation", ["occurred_at"], False),
    "highlight_member_date_idx": ("member_daily_highlights", ["member_id", "highlight_date"], True),
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


def insert(table, returning="*", **values):
    """Insert one row by raw SQL, with the given columns only."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING " + returning).format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), list(values.values()))
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


@contextmanager
def rejected_with(sqlstate):
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():  # noqa: PT012
        yield
        commit()
    assert rejected.value.__cause__.diag.sqlstate == sqlstate, rejected.value


def least(table, **more):
    """Return the minimal columns of a row; the members it names exist."""
    number = EntryFactory().member_id
    return {
        "community_members": {"telegram_id": "1", "name": "Ana", "primary_role": "developer"},
        "community_invitations": {
            "invitation_code": CODE,
            "created_by": number,
            "expires_at": "2999-01-01T00:00:00Z",
        },
        "member_relationships": {"entity_id_a": number, "entity_id_b": "room:7", "relationship_type": "MENTORED"},
        "member_participation": {
            "member_id": number,
            "event_type": "MESSAGE",
            "platform": "telegram",
            "room_id": "-1001",
        },
    }[table] | more


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
        ("community_members", "person_id", "members", "id"),
        ("member_daily_highlights", "member_id", "community_members", "member_id"),
        ("member_participation", "member_id", "community_members", "member_id"),
        ("member_relationships", "member_a_id", "community_members", "id"),
        ("member_relationships", "member_b_id", "community_members", "id"),
    ]


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


# --- Checks -----------------------------------------------------------------------------------

CHECKS = {
    "community_members_status_known": [{"status": status} for status in ("gone", "ACTIVE", "")],
    "community_members_role_known": [{"primary_role": role} for role in ("wizard", "Developer", "")],
    "community_members_name_not_empty": [{"name": ""}, {"name": " \t\n"}],
    "community_members_telegram_id_not_empty": [{"telegram_id": ""}, {"telegram_id": "  "}],
    "community_members_reputation_not_negative": [{"reputation_score": -1}],
    "community_members_member_id_format": [{"member_id": each} for each in ("247", "#0", "#-1", "#1a", "#007", "# 1")],
    "community_members_verified_fits": [
        {"github_verified": True, "github_username": "ana"},
        {"github_verified": True, "github_verified_at": "2026-03-01Z"},
        {"github_verified": False, "github_verified_at": "2026-03-01Z"},
    ],
    "community_members_not_invited_by_self": [{"member_id": "#424242", "invited_by": "#424242"}],
    "community_members_erased_is_removed": [{"erased_at": "2026-03-01Z"}],
    "community_invitations_status_known": [{"status": status} for status in ("used", "PENDING", "")],
    "community_invitations_code_format": [
        {"invitation_code": code}
        for code in ("23456789ABCDEFG", "23456789abcdefgh", "0" * 16, "O" * 16, "I" * 16, "1" * 16, "L" * 16, "")
    ],
    "community_invitations_accepted_fits": [
        {"status": "accepted"},
        {"status": "accepted", "accepted_at": "2026-03-01Z"},
        {"accepted_at": "2026-03-01Z"},
        {"status": "expired", "accepted_at": "2026-03-01Z"},
    ],
    "community_invitations_expires_later": [
        {"created_at": "2026-03-01Z", "expires_at": "2026-03-01Z"},
        {"created_at": "2026-03-02Z", "expires_at": "2026-03-01Z"},
    ],
    "community_invitations_not_by_self": [{}],
    "member_relationships_type_known": [{"relationship_type": kind} for kind in ("LIKED", "invited", "")],
    "member_relationships_not_with_self": [{"entity_id_a": "room:7"}],
    "member_relationships_ids_not_empty": [{"entity_id_a": " "}, {"entity_id_b": ""}],
    "member_participation_type_known": [{"event_type": kind} for kind in ("TYPING", "message", "")],
    "member_participation_minutes_fit": [
        {"event_type": "VOICE", "event_metadata": Jsonb({"minutes": minutes})} for minutes in (-1, 1.5, "7", 1441, [7])
    ],
    "member_participation_time_fits": [{"occurred_at": moment} for moment in ("1999-12-31Z", "infinity", "-infinity")],
    "member_participation_platform_known": [{"platform": platform} for platform in ("signal", "Telegram", "")],
}


def table_of(constraint):
    return next(table for table in TABLES if constraint.startswith(table))


@pytest.mark.seed("003 Kinds")
@pytest.mark.parametrize("constraint", CHECKS)
def test_check_rejects_invalid_row(constraint):
    for bad in CHECKS[constraint]:
        values = least(table_of(constraint), **bad)
        if constraint == "community_invitations_not_by_self":
            values |= {"status": "accepted", "accepted_by": values["created_by"], "accepted_at": "2026-03-01Z"}
        with rejected_by(constraint):
            insert(table_of(constraint), **values)


def test_every_check_has_a_test():
    found = rows("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = ANY (%s::regclass[])", [TABLES])
    # tests/common/test_one_line.py is about the rule for texts of one line, which each short text has.
    assert {name for (name,) in found if not name.endswith("_one_line")} == CHECKS.keys()


@pytest.mark.seed("003 Integration 4", "003 Kinds")
@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("community_members", "status", STATUSES),
        (
            "community_members",
            "primary_role",
            ["student", "developer", "designer", "researcher", "founder", "investor", "other"],
        ),
        (
            "community_members",
            "primary_role",
            ["community_manager", "content_creator"],
        ),
        ("community_invitations", "status", ["pending", "expired", "cancelled"]),
        ("member_relationships", "relationship_type", ["INVITED", "MENTORED", "COLLABORATED", "REFERRED"]),
        ("member_participation", "event_type", ["MESSAGE", "REACTION", "VOICE", "ACTION", "JOIN", "LEAVE"]),
        ("member_participation", "platform", ["telegram", "discord", "twitch", "kick", "github"]),
    ],
)
def test_every_choice_is_accepted(table, column, values):
    for number, value in enumerate(values):
        own = {
            "community_members": {"telegram_id": str(number)},
            "community_invitations": {"invitation_code": f"{CODE[:-1]}{number + 2}"},
        }
        assert insert(table, **least(table, **{column: value}, **own.get(table, {})))[column] == value


def test_unique_values_are_rejected_twice():
    entry = least("community_members")
    insert("community_members", **entry)
    with rejected_by("member_telegram_id_idx"):
        insert("community_members", **entry)
    invitation = least("community_invitations")
    insert("community_invitations", **invitation)
    with rejected_by("invitation_code_idx"):
        insert("community_invitations", **invitation)
    relationship = least("member_relationships")
    insert("member_relationships", **relationship)
    with rejected_by("member_relationships_once"):
        insert("member_relationships", **relationship)
    insert("member_relationships", **relationship | {"relationship_type": "REFERRED"})


def test_github_account_is_verified_once_in_any_case():
    proven = {"github_verified": True, "github_verified_at": "2026-03-01Z"}
    insert("community_members", **least("community_members", telegram_id="a", github_username="Ana-H", **proven))
    # An unverified name does not block another member.
    insert("community_members", **least("community_members", telegram_id="b", github_username="ana-h"))
    with rejected_by("community_members_github_once"):
        insert("community_members", **least("community_members", telegram_id="c", github_username="ANA-H", **proven))
    with rejected_by("community_members_github_once"):
        rows("UPDATE community_members SET github_verified = true, github_verified_at = now() WHERE telegram_id = 'b'")


# --- Numbers ----------------------------------------------------------------------------------


def new_number(**values):
    telegram_id = values.pop("telegram_id", None) or row("SELECT gen_random_uuid()::text")[0]
    return insert("community_members", **least("community_members", telegram_id=telegram_id, **values))["member_id"]


@pytest.mark.seed("003 Numbers")
def test_numbers_are_consecutive():
    first = int(EntryFactory(person=None).member_id[1:])
    assert [EntryFactory(person=None).member_id for _ in range(3)] == [f"#{first + step}" for step in (1, 2, 3)]


def test_given_number_moves_sequence_past_it():
    ahead = int(EntryFactory(person=None).member_id[1:]) + 1000
    entry = least("community_members", telegram_id="brought", member_id=f"#{ahead}")
    assert insert("community_members", **entry)["member_id"] == f"#{ahead}"
    assert EntryFactory(person=None).member_id == f"#{ahead + 1}"
    entry = least("community_members", telegram_id="behind", member_id=f"#{ahead - 500}")
    before = int(EntryFactory(person=None).member_id[1:])
    insert("community_members", **entry)
    assert EntryFactory(person=None).member_id == f"#{before + 1}", "a number behind moves nothing"


def test_empty_number_gets_next_number():
    assert new_number(member_id="").startswith("#")


def test_number_is_unique_and_never_changes():
    number = new_number()
    with rejected_by("community_members_member_id_key"):
        new_number(member_id=number)
    with rejected_by("community_members_number_never_changes"):
        rows("UPDATE community_members SET member_id = '#777777' WHERE member_id = %s", [number])
    rows("UPDATE community_members SET member_id = member_id, name = 'Other' WHERE member_id = %s", [number])
    with rejected_with("23502"):
        rows("UPDATE community_members SET member_id = NULL WHERE member_id = %s", [number])


@pytest.mark.seed("003 Numbers")
@pytest.mark.django_db(transaction=True)
def test_concurrent_inserts_get_distinct_numbers():
    together = threading.Barrier(30)
    ahead = int(EntryFactory(person=None).member_id[1:]) + 1000

    def act(number):
        # One in three has a given number, as in an import; each transaction stays open until all have their number.
        brought = {"member_id": f"#{ahead + 1000 * number}"} if number % 3 == 0 else {}
        values = {"telegram_id": f"at-once-{number}", "name": "Ana", "primary_role": "other"} | brought
        with transaction.atomic():
            made = insert("community_members", **values)["member_id"]
            together.wait(30)
        return made

    with crowd(30) as people:
        numbers = people.run(act)
    assert all(isinstance(number, str) for number in numbers), numbers
    assert len(set(numbers)) == 30
    highest = max(int(number[1:]) for number in numbers)
    assert EntryFactory(person=None).member_id == f"#{highest + 1}"


# --- Reputation and tier ----------------------------------------------------------------------


@pytest.mark.seed("003 Tiers")
@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0, "Novice"),
        (100, "Novice"),
        (101, "Contributor"),
        (500, "Contributor"),
        (501, "Active Developer"),
        (1000, "Active Developer"),
        (1001, "Experienced"),
        (1125, "Experienced"),
        (2500, "Experienced"),
        (2501, "Expert"),
        (2**31 - 1, "Expert"),
    ],
)
def test_tier_follows_from_the_score(score, tier):
    made = insert("community_members", **least("community_members", reputation_score=score))
    assert made["reputation_tier"] == tier
    entry = EntryFactory(person=None)
    changed = "UPDATE community_members SET reputation_score = %s WHERE id = %s RETURNING reputation_tier"
    assert row(changed, [score, entry.pk]) == (tier,)


@pytest.mark.seed("003 Tiers")
def test_tier_cannot_be_set():
    entry = EntryFactory()
    with rejected_with("428C9"):
        insert("community_members", **least("community_members", reputation_tier="Expert"))
    with rejected_with("428C9"):
        rows("UPDATE community_members SET reputation_tier = 'Expert' WHERE id = %s", [entry.pk])
    with rejected_with("428C9"):
        rows("UPDATE community_members SET reputation_tier = 'Novice' WHERE id = %s", [entry.pk])
    for statement in (
        "ALTER TABLE community_members ALTER reputation_tier DROP EXPRESSION",
        "ALTER TABLE community_members DISABLE TRIGGER community_members_guard",
    ):
        with rejected_with("42501"):
            rows(statement)


@pytest.mark.seed("003 Reputation")
def test_profile_points_determine_tier():
    profile = {"public_repos": 15, "followers": 50, "total_stars": 200, "contributions_last_year": 500}
    assert directory.reputation_of(profile) == 1125
    assert EntryFactory(reputation_score=directory.reputation_of(profile)).reputation_tier == "Experienced"
    each = [directory.reputation_of({name: 1}) for name in profile]
    assert each == [5, 3, 2, 1]
    assert directory.reputation_of({}) == 0


# --- Status -----------------------------------------------------------------------------------

REJECTED = {
    "not_member": (
        "The status of this member is “Not a member”. It can only change to “Waiting for approval” or “Banned”."
    ),
    "pending": "The status of this member is “Waiting for approval”. It can only change to “Active” or “Banned”.",
    "active": "The status of this member is “Active”. It can only change to “Suspended” or “Banned”.",
    "suspended": "The status of this member is “Suspended”. It can only change to “Active” or “Banned”.",
    "banned": "The status of this member is “Banned”, which is final.",
}
ACTS = {
    directory.approve: ({"pending"}, "active", "directory.approved"),
    directory.suspend: ({"active"}, "suspended", "directory.suspended"),
    directory.reinstate: ({"suspended"}, "active", "directory.reinstated"),
    directory.ban: ({"not_member", "pending", "active", "suspended"}, "banned", "directory.banned"),
}


@pytest.mark.seed("003 Status")
@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_rejected_move_names_possible_moves(act, before):
    possible, after, told = ACTS[act]
    entry, manager = EntryFactory(status=before), EntryFactory().person
    if before in possible:
        assert act(entry=entry, actor=manager, reason="seen").status == after
        event = row("SELECT type, actor_id, member_id, payload::text FROM events ORDER BY id DESC LIMIT 1")
        assert event[:3] == (told, manager.pk, entry.person_id)
        assert event[3] == f'{{"number": "{entry.member_id}", "reason": "seen"}}'
    else:
        with pytest.raises(StatusMoveRejected) as rejected:
            act(entry=entry, actor=manager, reason="seen")
        assert str(rejected.value) == REJECTED[before]
        assert row("SELECT count(*) FROM events") == (0,)
        after = before
    assert CommunityMember.objects.get(pk=entry.pk).status == after


# --- Invitations ------------------------------------------------------------------------------


@pytest.mark.parametrize("ended", ["accepted", "expired", "cancelled"])
def test_ended_invitation_never_changes(ended):
    guest = EntryFactory()
    accepted = {"accepted_by": guest, "accepted_at": "2026-03-01T00:00:00Z"} if ended == "accepted" else {}
    invitation = InvitationFactory(status=ended, **accepted)
    for status in {"pending", "accepted", "expired", "cancelled"} - {ended}:
        with rejected_by("community_invitations_status_moves"):
            rows("UPDATE community_invitations SET status = %s WHERE invitation_id = %s", [status, invitation.pk])
    with rejected_by("community_invitations_status_moves"):
        rows(
            """UPDATE community_invitations SET status = 'accepted', accepted_by = %s, accepted_at = now()
               WHERE invitation_id = %s""",
            [EntryFactory().member_id, invitation.pk],
        )
    rows("UPDATE community_invitations SET invited_telegram_username = NULL WHERE invitation_id = %s", [invitation.pk])


def test_inviter_of_an_invitation_never_changes():
    invitation, other = InvitationFactory(), EntryFactory()
    with rejected_by("community_invitations_inviter_never_changes"):
        rows("UPDATE community_invitations SET created_by = %s", [other.member_id])
    invitation.refresh_from_db()
    assert invitation.created_by != other


@pytest.mark.parametrize("change", ["status = 'cancelled', invitation_code", "invitation_code"])
def test_code_changes_only_while_pending(change):
    InvitationFactory(status="expired" if change == "invitation_code" else "pending")
    with rejected_by("community_invitations_code_changes_while_pending"):
        rows(f"UPDATE community_invitations SET {change} = 'ZZZZZZZZZZZZZZZZ'")


def test_member_accepts_one_invitation():
    guest, when = EntryFactory(), "2026-03-01T00:00:00Z"
    InvitationFactory(status="accepted", accepted_by=guest, accepted_at=when)
    with rejected_by("community_invitations_accepted_by_key"):
        InvitationFactory(status="accepted", accepted_by=guest, accepted_at=when)


# --- Relationships ----------------------------------------------------------------------------


@pytest.mark.seed("003 AC3")
def test_entity_id_with_number_is_linked_to_member():
    ana, bob = EntryFactory(), EntryFactory()
    values = {"entity_id_a": ana.member_id, "entity_id_b": bob.member_id, "relationship_type": "MENTORED"}
    made = insert("member_relationships", **values)
    assert (made["member_a_id"], made["member_b_id"]) == (ana.pk, bob.pk)
    for stranger in ("#999999", "bot:7", ana.member_id[1:], f" {ana.member_id}", str(ana.pk)):
        made = insert("member_relationships", **values | {"entity_id_a": stranger})
        assert (made["member_a_id"], made["member_b_id"]) == (None, bob.pk), stranger


def test_link_follows_entity_id():
    ana, bob = EntryFactory(), EntryFactory()
    made = insert(
        "member_relationships",
        entity_id_a="bot:7",
        entity_id_b=bob.member_id,
        relationship_type="REFERRED",
        member_a_id=ana.pk,
    )
    assert made["member_a_id"] is None
    change = "UPDATE member_relationships SET {} WHERE id = %s RETURNING member_a_id, member_b_id"
    assert row(change.format("member_a_id = member_b_id, member_b_id = NULL"), [made["id"]]) == (None, bob.pk)
    assert row(change.format(f"entity_id_a = '{ana.member_id}'"), [made["id"]]) == (ana.pk, bob.pk)


# --- Dates ------------------------------------------------------------------------------------


def test_activity_does_not_change_updated_at():
    old = "2026-01-01T00:00:00Z"
    entry = EntryFactory(updated_at=old)
    invitation = InvitationFactory(updated_at=old)
    change = "UPDATE community_members SET {} WHERE id = %s RETURNING updated_at = now()"
    assert row(change.format("last_active_at = now()"), [entry.pk]) == (False,)
    assert row(change.format("country = 'Brazil'"), [entry.pk]) == (True,)
    change = "UPDATE community_invitations SET {} WHERE invitation_id = %s RETURNING updated_at = now()"
    assert row(change.format("status = status"), [invitation.pk]) == (False,)
    assert row(change.format("status = 'cancelled'"), [invitation.pk]) == (True,)


# --- Records ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["community_members_history", "community_invitations_history"])
def test_history_is_append_only(table):
    may = {
        verb: row("SELECT has_table_privilege(current_user, %s, %s)", [table, verb])[0]
        for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    }
    assert may == {"SELECT": True, "INSERT": True, "UPDATE": False, "DELETE": False, "TRUNCATE": False}


def test_every_write_path_adds_history():
    entry = EntryFactory()
    rows("UPDATE community_members SET country = 'Brazil' WHERE id = %s", [entry.pk])
    rows("UPDATE community_members SET last_active_at = now() WHERE id = %s", [entry.pk])
    kept = "SELECT pgh_label, country FROM community_members_history WHERE pgh_obj_id = %s ORDER BY pgh_id"
    assert rows(kept, [entry.pk]) == [("insert", None), ("update", "Brazil")]
    invitation = InvitationFactory()
    rows("UPDATE community_invitations SET status = 'cancelled' WHERE invitation_id = %s", [invitation.pk])
    kept = "SELECT pgh_label, status FROM community_invitations_history WHERE pgh_obj_id = %s ORDER BY pgh_id"
    assert rows(kept, [invitation.pk]) == [("insert", "pending"), ("update", "cancelled")]
