"""Matrix of privileges: which role can read and write which rows, from the catalog, and the expected result.

Tables and policies are read from pg_class and pg_policies. A new table is in the matrix without being listed here, and
members must have no access to it unless it is listed in MEMBERS_MAY.
"""

from dataclasses import dataclass

import psycopg
from django.apps import apps
from psycopg import sql
from psycopg.types.json import Jsonb

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
IDENTITIES = ("own", "other", "unset")
OWNER, SITE, MEMBER = "missionsite_owner", "missionsite_app", "missionsite_member"
# Operations of a member on their own rows; none on rows of others, and none without an identity.
MEMBERS_MAY = {
    "user_engagement_states": {"SELECT"},
    "engagement_state_transitions": {"SELECT"},
    "user_profiles": {"SELECT", "UPDATE"},
    "member_addresses": {"SELECT"},
}
# Operations that the site's role cannot run.
SITE_MAY_NOT = {
    "user_engagement_states": {"DELETE"},
    "engagement_message_queue": {"DELETE"},
    "user_profiles": {"DELETE"},
    "engagement_claims": {"UPDATE"},
    "engagement_state_transitions": {"UPDATE", "DELETE"},
    "user_profiles_history": {"INSERT", "UPDATE", "DELETE"},
    "message_templates_history": {"INSERT", "UPDATE", "DELETE"},
    "message_templates": {"DELETE"},
    "engagement_announcements": {"DELETE"},
    "engagement_inbound_messages": {"DELETE"},
    "engagement_transports": {"DELETE"},
    "reply_phrases": {"DELETE"},
    "bounced_addresses": {"DELETE"},
    "member_addresses": {"INSERT", "DELETE"},
    "engagement_mailboxes": {"DELETE"},
    "engagement_sequences": {"DELETE"},
    "engagement_sequence_steps": {"DELETE"},
    "engagement_sequence_members": {"DELETE"},
    "reply_phrases_history": {"INSERT", "UPDATE", "DELETE"},
}
# Column for a harmless UPDATE; by default the first column of the table.
CHANGED = {"member_addresses": "verified_at", "user_profiles": "locale", "user_engagement_states": "last_activity_at"}
# Column with the member of a row, if it is not user_id.
WHOSE = {"engagement_announcements": "created_by_id"}


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: role, table, operation and identity."""

    role: str
    table: str
    verb: str
    whose: str


def tables(session: psycopg.Connection) -> list[str]:
    """Return all tables of this app, by models and by name prefix."""
    named = [model._meta.db_table for model in apps.get_app_config("engagement").get_models()]
    found = session.execute(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND (relname = ANY (%s)
                  OR relname ~ '^(engagement|user_(engagement|profile)|message_templ|reply_phrase|bounce)')
           ORDER BY relname""",
        [named],
    ).fetchall()
    return [name for (name,) in found]


def expected(cell: Cell) -> bool:
    if cell.role == OWNER:
        return True
    if cell.role == SITE:
        return cell.verb not in SITE_MAY_NOT.get(cell.table, ())
    return cell.whose == "own" and cell.verb in MEMBERS_MAY.get(cell.table, ())


def cells(session: psycopg.Connection, roles: tuple[str, ...], only: str = "") -> list[Cell]:
    """Return the cells of these roles, for all tables or one."""
    return [
        Cell(role, table, verb, whose)
        for role in roles
        for table in ([only] if only else tables(session))
        for verb in VERBS
        for whose in IDENTITIES
    ]


def fill(session: psycopg.Connection) -> dict[str, str]:
    """Create a row of each of two members in every table; return their IDs by `own` and `other`."""
    people = {}
    for who in ("own", "other"):
        (key,) = session.execute(
            "INSERT INTO members (email, display_name) VALUES (%s, 'Rls') RETURNING id", [f"{who}-rls@example.org"]
        ).fetchone()
        people[who] = str(key)
        session.execute("INSERT INTO user_engagement_states (user_id) VALUES (%s)", [key])
        session.execute("SELECT set_config('engagement.trigger', 'inactivity_14d', true)")
        session.execute(
            """UPDATE user_engagement_states SET state = 'goodbye_sent', goodbye_sent_at = now(),
                   goodbye_expires_at = now() WHERE user_id = %s""",
            [key],
        )
        session.execute("SELECT set_config('engagement.trigger', '', true)")
        session.execute("UPDATE user_profiles SET timezone = 'Europe/Lisbon' WHERE user_id = %s", [key])
        (announcement,) = session.execute(
            "INSERT INTO engagement_announcements (title, created_by_id) VALUES ('A', %s) RETURNING id", [key]
        ).fetchone()
        session.execute(
            """INSERT INTO engagement_message_queue (user_id, message_type, message_key, idempotency_key,
                   announcement_id) VALUES (%s, 'announcement', 'a', %s, %s)""",
            [key, who, announcement],
        )
        session.execute(
            "INSERT INTO engagement_inbound_messages (user_id, platform, message_id) VALUES (%s, 'rls', %s)", [key, who]
        )
        session.execute(
            """INSERT INTO message_templates (key, locale, subject, body, announcement_id)
               VALUES (%s, 'en', 's', 'b', %s)""",
            [f"rls-{who}", announcement],
        )
        session.execute(
            "INSERT INTO reply_phrases (reading, language, phrase) VALUES ('opted_out', 'en', %s)", [f"rls {who}"]
        )
        session.execute(
            "INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, attempted_at, message_ids,"
            " user_ids) VALUES (gen_random_uuid(), %s, now(), now(), '{}', '{}')",
            [who],
        )
        session.execute(
            "INSERT INTO bounced_addresses (user_id, address, reason, reported_at) VALUES (%s, %s, 'complaint', now())",
            [key, who],
        )
        session.execute(
            "INSERT INTO unassigned_messages (platform, message_id, reason, handled_at, user_id)"
            " VALUES ('rls', %s, 'unknown', now(), %s)",
            [who, key],
        )
        session.execute("INSERT INTO engagement_mailboxes (name, uid_validity) VALUES (%s, 1)", [f"rls-{who}"])
        (sequence,) = session.execute(
            """INSERT INTO engagement_sequences (name, start, topic) VALUES (%s, 'approved', 'news') RETURNING id""",
            [f"rls {who} {key}"],
        ).fetchone()
        session.execute(
            "INSERT INTO engagement_sequence_steps (sequence_id, template_key) VALUES (%s, 'welcome')", [sequence]
        )
        session.execute(
            "INSERT INTO engagement_sequence_members (sequence_id, user_id, started_at) VALUES (%s, %s, now())",
            [sequence, key],
        )
        session.execute("INSERT INTO engagement_transports (name) VALUES (%s)", [f"rls-{who}"])
    return people


def answer(session: psycopg.Connection, cell: Cell, people: dict[str, str]) -> bool:
    """Return whether privileges and policies allow the operation; it is run and rolled back.

    An error of another constraint occurs after these checks and means that the operation is allowed.
    """
    column = _whose(session, cell.table)
    row_of = people["other" if cell.whose == "other" else "own"]
    identity = "" if cell.whose == "unset" else people["own"]
    try:
        with session.transaction(force_rollback=True):
            statement, values = _statement(session, cell, column, row_of)
            session.execute("SELECT set_config('app.member_id', %s, true)", [identity])
            if cell.role == MEMBER:
                session.execute("SELECT set_config('role', %s, true)", [MEMBER])
            return session.execute(statement, values).rowcount > 0
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
        return True


def leaks(session: psycopg.Connection, people: dict[str, str], asked: list[Cell]) -> list[Cell]:
    """Return the cells that differ from the expected result."""
    return [cell for cell in asked if answer(session, cell, people) != expected(cell)]


def _whose(session: psycopg.Connection, table: str) -> str | None:
    """Return the column with the member of a row; None if rows have no member."""
    wanted = WHOSE.get(table, "user_id")
    return wanted if wanted in _columns(session, table) else None


def _columns(session: psycopg.Connection, table: str) -> list[str]:
    found = session.execute(
        """SELECT attname FROM pg_attribute
           WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''""",
        [table],
    ).fetchall()
    return [name for (name,) in found]


def _statement(session, cell, column, row_of):
    """Return the SQL of a cell: read the row, update it to itself, delete it, or insert it again."""
    table = sql.Identifier(cell.table)
    where = sql.SQL("WHERE {} = %s").format(sql.Identifier(column)) if column else sql.SQL("")
    values = [row_of] if column else []
    if cell.verb == "SELECT":
        return sql.SQL("SELECT FROM {} {}").format(table, where), values
    if cell.verb == "DELETE":
        return sql.SQL("DELETE FROM {} {}").format(table, where), values
    names = _columns(session, cell.table)
    if cell.verb == "UPDATE":
        changed = sql.Identifier(CHANGED.get(cell.table, names[0]))
        return sql.SQL("UPDATE {} SET {c} = {c} {}").format(table, where, c=changed), values
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    copied = session.execute(sql.SQL("SELECT {} FROM {} {} LIMIT 1").format(listed, table, where), values).fetchone()
    assert copied, f"{cell.table} has no row of {row_of}: fill() has to make one"
    given = [Jsonb(value) if isinstance(value, dict) else value for value in copied]
    places = sql.SQL(", ").join([sql.Placeholder()] * len(given))
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, listed, places), given
