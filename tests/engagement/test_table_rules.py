"""Triggers on messages, profiles and dates, tested by SQL as the site's role."""

import io
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, transaction

from engagement.models import Sequence, SequenceMember, SequenceStep, UserProfile
from groups.models import Member
from groups.services.imports import import_members
from tests.engagement.owner_connection import owner
from tests.support.database import rejected_by, row, rows
from tests.support.factories.engagement import (
    AnnouncementFactory,
    ClaimFactory,
    MessageFactory,
    PersonFactory,
    TemplateFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

# --- Messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    ["idempotency_key = 'another'", "message_type = 'goodbye'", "id = id + 1000", "user_id = '{other}'"],
)
def test_recipient_type_and_key_cannot_change(changes):
    message, other = MessageFactory(), PersonFactory()
    with rejected_by("engagement_message_queue_immutable"):
        rows(f"UPDATE engagement_message_queue SET {changes.format(other=other.pk)} WHERE id = %s", [message.pk])


# --- updated_at -----------------------------------------------------------------------------------

LONG_AGO = "2020-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("table", "row_of", "changes"),
    [
        ("user_engagement_states", "user_id", "last_activity_at = now()"),
        ("user_profiles", "user_id", "locale = 'pt-BR'"),
        ("message_templates", "id", "body = 'New text'"),
    ],
)
def test_updated_at_changes_with_row(table, row_of, changes):
    person, template = PersonFactory(state="active"), TemplateFactory()
    key = template.pk if row_of == "id" else person.pk
    rows(f"UPDATE {table} SET updated_at = %s WHERE {row_of} = %s", [LONG_AGO, key])
    rows(f"UPDATE {table} SET {changes} WHERE {row_of} = %s", [key])
    assert row(f"SELECT updated_at = now(), created_at <= now() FROM {table} WHERE {row_of} = %s", [key]) == (
        True,
        True,
    )


# --- Profiles -------------------------------------------------------------------------------------


def without_profile():
    return rows("SELECT m.id FROM members m LEFT JOIN user_profiles p ON p.user_id = m.id WHERE p.user_id IS NULL")


def test_member_created_by_orm_has_profile():
    person = Member.objects.create(email="orm@example.org", display_name="Orm")
    assert UserProfile.objects.get(pk=person.pk).timezone == "UTC"
    Member.objects.bulk_create([Member(email=f"bulk{i}@example.org", display_name="B") for i in range(3)])
    assert without_profile() == []


def test_member_created_by_sql_has_profile():
    made = rows(
        "INSERT INTO members (email, display_name) SELECT 'raw' || i || '@example.org', 'Raw' "
        "FROM generate_series(1, 50) i RETURNING id"
    )
    assert len(made) == 50
    assert without_profile() == []
    assert UserProfile.objects.filter(pk__in=[key for (key,) in made]).count() == 50


def test_imported_member_has_profile():
    file = "email,name\n" + "".join(f"p{i}@example.org,Person {i}\n" for i in range(30))
    report = import_members(actor=Member.objects.system(), file=io.BytesIO(file.encode()))
    assert report.added == 30
    assert without_profile() == []


def test_transitions_are_deleted_only_with_member():
    person = PersonFactory(state="dormant")
    gone = "DELETE FROM engagement_state_transitions WHERE user_id = %s"
    with owner() as session:
        key = session.execute(
            "INSERT INTO members (email, display_name) VALUES ('gone@example.org', 'Gone') RETURNING id"
        ).fetchone()
        session.execute("INSERT INTO user_engagement_states (user_id) VALUES (%s)", key)
        session.execute("SET LOCAL engagement.trigger = 'inactivity_14d'")
        session.execute(
            """UPDATE user_engagement_states SET state = 'goodbye_sent', goodbye_sent_at = now(),
                   goodbye_expires_at = now() WHERE user_id = %s""",
            key,
        )
        for statement in (gone, "UPDATE engagement_state_transitions SET metadata = '{}' WHERE user_id = %s"):
            with pytest.raises(psycopg.errors.CheckViolation) as rejected, session.transaction():
                session.execute(statement, key)
            assert rejected.value.diag.constraint_name == "engagement_state_transitions_append_only"
        # Deleted with the member.
        session.execute("DELETE FROM members WHERE id = %s", key)
        left = session.execute("SELECT count(*) FROM engagement_state_transitions WHERE user_id = %s", key)
        assert left.fetchone() == (0,)
    assert row("SELECT count(*) FROM engagement_state_transitions WHERE user_id = %s", [person.pk]) == (2,)


def test_deleted_actor_leaves_transition_of_another_member():
    with owner() as session:
        (member, staff, other) = [
            session.execute(
                "INSERT INTO members (email, display_name) VALUES (%s, 'Gone') RETURNING id", [f"{name}@example.org"]
            ).fetchone()[0]
            for name in ("moved", "staff", "other")
        ]
        session.execute("INSERT INTO user_engagement_states (user_id) SELECT unnest(%s)", [[member, staff]])
        session.execute("SET LOCAL engagement.trigger = 'inactivity_14d'")
        session.execute("SELECT set_config('engagement.actor', %s, true)", [str(staff)])
        session.execute(
            """UPDATE user_engagement_states SET state = 'goodbye_sent', goodbye_sent_at = now(),
                   goodbye_expires_at = now() WHERE user_id = ANY (%s)""",
            [[member, staff]],
        )
        for actor in (None, other):
            with pytest.raises(psycopg.errors.CheckViolation) as rejected, session.transaction():
                session.execute(
                    "UPDATE engagement_state_transitions SET actor_id = %s WHERE user_id = %s", [actor, member]
                )
            assert rejected.value.diag.constraint_name == "engagement_state_transitions_append_only"
        session.execute("DELETE FROM members WHERE id = %s", [staff])
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        left = session.execute(
            "SELECT user_id, actor_id FROM engagement_state_transitions WHERE user_id = ANY (%s)", [[member, staff]]
        )
        assert left.fetchall() == [(member, None)]


# --- Pending messages follow the profile ----------------------------------------------------------


@pytest.fixture
def written_to():
    """Create a member with both addresses and an announcement in every status, one of them claimed, and a review."""
    person = PersonFactory(profile={"individual_jid": "me@chat", "group_jid": "us@chat"})

    def make(key, **fields):
        kind = {"message_type": "announcement"} | fields
        return MessageFactory(user=person, destination_jid="me@chat", idempotency_key=key, **kind)

    for trait in ("failed", "sent", "cancelled"):
        make(trait, **{trait: True})
    make("pending")
    make("personal", message_type="weekly_review")
    ClaimFactory(messages=[make("leased")])
    MessageFactory(destination_jid="another@chat", idempotency_key="another")
    return person


def addresses():
    return {
        key: (where, address)
        for key, where, address in rows(
            "SELECT idempotency_key, destination, destination_jid FROM engagement_message_queue"
        )
    }


def test_pending_messages_follow_new_destination(written_to):
    rows("UPDATE user_profiles SET preferred_destination = 'group' WHERE user_id = %s", [written_to.pk])
    changed, unchanged = ("group", "us@chat"), ("individual", "me@chat")
    assert addresses() == {
        "pending": changed, "failed": changed, "sent": unchanged, "cancelled": unchanged, "leased": unchanged,
        "personal": unchanged, "another": ("individual", "another@chat"),
    }  # fmt: skip


@pytest.mark.seed("002 Note 7")
def test_pending_messages_follow_new_address(written_to):
    rows("UPDATE user_profiles SET individual_jid = 'new@chat' WHERE user_id = %s", [written_to.pk])
    assert addresses()["pending"] == ("individual", "new@chat")
    assert addresses()["sent"] == ("individual", "me@chat")


def test_other_profile_changes_keep_pending_messages(written_to):
    rows("UPDATE engagement_message_queue SET destination_jid = 'by hand' WHERE idempotency_key = 'pending'")
    rows("UPDATE user_profiles SET locale = 'pt-BR', reengagement_opt_out = true WHERE user_id = %s", [written_to.pk])
    assert addresses()["pending"] == ("individual", "by hand")


# --- Privileges of the site's role ----------------------------------------------------------------

GONE = {
    "user_engagement_states": ("DELETE",),
    "engagement_message_queue": ("DELETE",),
    "user_profiles": ("DELETE",),
    "engagement_claims": ("UPDATE",),
    "engagement_state_transitions": ("UPDATE", "DELETE"),
    "user_profiles_history": ("UPDATE", "DELETE"),
    "message_templates_history": ("UPDATE", "DELETE"),
}


@pytest.mark.seed("002 Subtask 6.6")
@pytest.mark.parametrize(("table", "verb"), [(table, verb) for table, verbs in GONE.items() for verb in verbs])
def test_site_role_cannot_change_append_only_tables(table, verb):
    PersonFactory(state="goodbye_sent", profile={"locale": "pt-BR"})
    (column,) = row("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
    statement = f"DELETE FROM {table}" if verb == "DELETE" else f"UPDATE {table} SET {column} = {column}"
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(statement)
    assert rejected.value.__cause__.sqlstate == "42501"


@pytest.mark.deletes("engagement_announcements")
def test_announcement_with_messages_cannot_be_deleted():
    announcement = AnnouncementFactory()
    MessageFactory(announcement=announcement, message_type="announcement")
    with rejected_by(foreign_key("engagement_message_queue", "announcement_id")):
        rows("DELETE FROM engagement_announcements")


def foreign_key(table, column):
    """Return the name of the foreign key of this column."""
    return row(
        """SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass
             AND conkey = ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)""",
        [table, column],
    )[0]


# --- Topics and sequences ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE engagement_message_queue SET topic = 'gossip'", "engagement_message_queue_topic_known"),
        ("UPDATE engagement_announcements SET topic = 'gossip'", "engagement_announcements_topic_known"),
        ("UPDATE user_profiles SET muted_topics = '{gossip}'", "user_profiles_muted_topics_known"),
        ("UPDATE engagement_sequences SET topic = 'gossip'", "engagement_sequences_topic_known"),
        ("UPDATE engagement_sequences SET start = 'someday'", "engagement_sequences_start_known"),
        ("UPDATE engagement_sequences SET name = ' '", "engagement_sequences_name_not_empty"),
        ("UPDATE engagement_sequences SET name = 'Same'", "engagement_sequences_name_unique"),
        ("UPDATE engagement_sequence_steps SET condition = 'moon'", "engagement_sequence_steps_condition_known"),
        ("UPDATE engagement_sequence_steps SET delay_days = 366", "engagement_sequence_steps_delay_limit"),
        ("UPDATE engagement_sequence_steps SET template_key = 'a'", "engagement_sequence_steps_unique"),
        ("UPDATE engagement_sequence_members SET ended_at = now()", "engagement_sequence_members_end"),
    ],
)
def test_rows_of_topics_and_sequences_are_checked(statement, rule):
    message = MessageFactory()
    AnnouncementFactory()
    first, _second = (Sequence.objects.create(name=name, start="approved") for name in ("One", "Two"))
    for number, key in enumerate("ab"):
        TemplateFactory(key=key)
        SequenceStep.objects.create(sequence=first, template_key=key, delay_days=number)
    SequenceMember.objects.create(sequence=first, user=message.user, started_at=NOW)
    with rejected_by(rule):
        rows(statement)
