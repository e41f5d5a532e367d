"""The tables of the directory as the seed describes them, and raw SQL to fill them."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from tests.support.database import commit
from tests.support.factories.groups import EntryFactory

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
