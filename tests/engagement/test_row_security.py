"""Row security: every role, table, operation and identity, with a control for each policy."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection, transaction
from psycopg import sql

from engagement.models import UserProfile
from missionsite.common.roles import member_session
from tests.database import restore
from tests.engagement.owner_connection import owner
from tests.engagement.security import (
    IDENTITIES,
    MEMBER,
    MEMBERS_MAY,
    OWNER,
    SITE,
    VERBS,
    Cell,
    answer,
    cells,
    expected,
    fill,
    leaks,
    tables,
)
from tests.support.concurrency import crowd
from tests.support.database import own_connection, rows
from tests.support.factories.engagement import PersonFactory

pytestmark = pytest.mark.django_db


@contextmanager
def as_site():
    """Open a transaction as the site's role with rows of two members; roll it back."""
    with own_connection() as session:
        session.autocommit = False
        yield session, fill(session)
        session.rollback()


@contextmanager
def as_the_owner():
    """Open a transaction as the owner of the tables with rows of two members; roll it back."""
    with owner() as session:
        yield session, fill(session)


# --- The matrix -----------------------------------------------------------------------------------


@pytest.mark.seed("002 Subtask 6.8")
def test_matrix_has_every_table():
    with own_connection() as session:
        found = tables(session)
        asked = cells(session, (SITE, MEMBER))
    assert len(found) >= 11
    assert len(asked) == 2 * len(found) * len(VERBS) * len(IDENTITIES)


@pytest.mark.seed(
    "002 AC-7",
    "002 Task 6",
    "002 Subtask 6.2",
    "002 Subtask 6.3",
    "002 Subtask 6.5",
    "002 Subtask 6.6",
    "002 Subtask 6.8",
    "002 Task 7",
    "002 Subtask 7.4",
    "002 Testing 2",
)
def test_matrix_matches_privileges():
    with as_site() as (session, people):
        assert leaks(session, people, cells(session, (SITE, MEMBER))) == []


@pytest.mark.seed("002 AC-7", "002 Subtask 7.4", "002 Testing 2")
def test_each_denial_has_an_allowed_control():
    """Run each denied operation as a role that is allowed, so that a query without a row is not taken for a denial."""
    with as_site() as (session, people):
        denied = [cell for cell in cells(session, (SITE, MEMBER)) if not expected(cell)]
        by_site = [
            cell for cell in denied if cell.role == MEMBER and expected(Cell(SITE, cell.table, cell.verb, "own"))
        ]
        assert len(by_site) > 70
        for cell in by_site:
            assert answer(session, Cell(SITE, cell.table, cell.verb, cell.whose), people), cell
    by_owner = [cell for cell in denied if cell not in by_site]
    assert by_owner
    with as_the_owner() as (session, people):
        for cell in by_owner:
            assert answer(session, Cell(OWNER, cell.table, cell.verb, cell.whose), people), cell


@pytest.mark.seed("002 Subtask 6.3")
def test_owner_has_access_by_policies():
    with as_the_owner() as (session, people):
        assert leaks(session, people, cells(session, (OWNER,))) == []


@pytest.mark.seed("002 AC-7", "002 Subtask 6.2", "002 Subtask 6.5")
def test_member_reads_only_own_rows():
    with as_site() as (session, people):
        for table in (name for name, verbs in MEMBERS_MAY.items() if "SELECT" in verbs):
            with session.transaction(force_rollback=True):
                session.execute("SELECT set_config('app.member_id', %s, true)", [people["own"]])
                session.execute("SELECT set_config('role', %s, true)", [MEMBER])
                found = session.execute(sql.SQL("SELECT DISTINCT user_id::text FROM {}").format(sql.Identifier(table)))
                assert found.fetchall() == [(people["own"],)], table


def test_member_updates_only_own_profile_columns():
    own = {
        "preferred_destination": "'group'",
        "reengagement_opt_out": "true",
        "locale": "'pt-BR'",
        "timezone": "'UTC'",
        "muted_topics": "'{news}'",
        "channels": "'{email}'",
    }
    with as_site() as (session, people):
        columns = [name for (name,) in session.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'user_profiles'::regclass AND attnum > 0"
        )]  # fmt: skip
        may = []
        for column in columns:
            allowed = session.execute(
                "SELECT has_column_privilege(%s, 'user_profiles', %s, 'UPDATE')", [MEMBER, column]
            ).fetchone()[0]
            may += [column] if allowed else []
        assert sorted(may) == sorted(own)
        session.execute("SELECT set_config('app.member_id', %s, true)", [people["own"]])
        session.execute("SELECT set_config('role', %s, true)", [MEMBER])
        for column, value in own.items():
            assert session.execute(f"UPDATE user_profiles SET {column} = {value}").rowcount == 1


def test_member_reads_no_audit_columns_of_transitions():
    with as_site() as (session, _people):
        hidden = session.execute(
            """SELECT attname FROM pg_attribute
               WHERE attrelid = 'engagement_state_transitions'::regclass AND attnum > 0
                   AND NOT has_column_privilege(%s, attrelid, attnum, 'SELECT')""",
            [MEMBER],
        ).fetchall()
    assert sorted(hidden) == [("actor_id",), ("changeset_id",)]


def test_invalid_identity_reads_nothing():
    with as_site() as (session, people):
        for identity in ("", people["own"].upper().replace("-", ""), str(uuid4())):
            with session.transaction(force_rollback=True):
                session.execute("SELECT set_config('app.member_id', %s, true)", [identity])
                session.execute("SELECT set_config('role', %s, true)", [MEMBER])
                found = session.execute("SELECT user_id::text FROM user_profiles").fetchall()
                # A UUID without hyphens is the same UUID.
                assert found == ([(people["own"],)] if len(identity) == 32 else [])


# --- Missing policies -----------------------------------------------------------------------------

POLICIES = """
    SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies
    WHERE schemaname = 'public' AND tablename = ANY (%s) ORDER BY 1, 2
"""


def policies(session):
    return session.execute(POLICIES, [tables(session)]).fetchall()


def recreated(table, name, permissive, roles, command, using, check):
    """Return the CREATE POLICY statement of a policy in the catalog."""
    parts = f"CREATE POLICY {name} ON {table} AS {permissive} FOR {command} TO {', '.join(roles)}"
    return parts + (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")


@contextmanager
def dropped(policy):
    """Drop a policy for the duration of the block."""
    table, name, *_rest = policy
    with owner() as session:
        session.execute(f"DROP POLICY {name} ON {table}")
        session.commit()
    try:
        yield
    finally:
        with owner() as session:
            session.execute(recreated(*policy))
            session.commit()


@pytest.mark.long
@pytest.mark.seed("002 Subtask 7.4")
def test_matrix_detects_missing_policy():
    with owner() as session:
        known = policies(session)
    assert len(known) > 24
    unseen = []
    for table, name, _permissive, roles, *_rest in known:
        if roles == [OWNER]:
            with as_the_owner() as (session, people):
                session.execute(f"DROP POLICY {name} ON {table}")
                if not leaks_without(session, people, (OWNER,), table):
                    unseen.append(name)
    try:
        # Committed rows: without the policy the site cannot insert them.
        with own_connection() as session, session.transaction():
            people = fill(session)
        for policy in known:
            table, name, _permissive, roles, *_rest = policy
            if roles != [OWNER]:
                with dropped(policy), own_connection() as session:
                    if not leaks_without(session, people, (SITE, MEMBER), table):
                        unseen.append(name)
    finally:
        restore()
    assert unseen == []
    with owner() as session:
        assert policies(session) == known, "all are back as they were"


def leaks_without(session, people, roles, table):
    """Return the matrix of one table; an INSERT whose row cannot be read afterwards also counts as a leak."""
    found = []
    for cell in cells(session, roles, table):
        try:
            found += leaks(session, people, [cell])
        except AssertionError:
            found.append(cell)
    return found


# --- Two members over one connection ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_members_on_one_connection_read_own_rows():
    one, two = PersonFactory(state="dormant"), PersonFactory(state="goodbye_sent")
    seen = []
    for turn in range(10):
        who = (one, two)[turn % 2]
        with transaction.atomic():
            with member_session(who.pk):
                found = rows("SELECT DISTINCT user_id FROM engagement_state_transitions")
                seen.append((who.pk, [key for (key,) in found]))
            transaction.set_rollback(turn % 3 == 0)
        # Between the two requests no member is set.
        assert rows("SELECT current_user, coalesce(current_setting('app.member_id', true), '')") == [(SITE, "")]
    assert all(keys == [who] for who, keys in seen)
    with pytest.raises(ZeroDivisionError), transaction.atomic(), member_session(one.pk):
        raise ZeroDivisionError
    assert rows("SELECT current_user, coalesce(current_setting('app.member_id', true), '')") == [(SITE, "")]


@pytest.mark.django_db(transaction=True)
def test_concurrent_members_update_own_profile():
    people = [PersonFactory() for _each in range(4)]

    def change(number):
        for turn in range(5):
            with transaction.atomic(), member_session(people[number].pk):
                locale = ("en", "pt-BR")[(number + turn) % 2]
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE user_profiles SET locale = %s", [locale])
                    assert cursor.rowcount == 1

    with crowd(4) as members:
        assert members.run(change) == [None] * 4
    locales = [UserProfile.objects.get(pk=person.pk).locale for person in people]
    assert locales == ["en", "pt-BR", "en", "pt-BR"]


# --- The catalog ------------------------------------------------------------------------------------


@pytest.mark.seed("002 AC-7", "002 Task 6", "002 Subtask 6.1", "002 Subtask 6.4", "002 Subtask 6.7")
def test_every_table_forces_row_security():
    with own_connection() as session:
        loose = session.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%s)
               AND NOT (relrowsecurity AND relforcerowsecurity)""",
            [tables(session)],
        ).fetchall()
    assert loose == []


FUNCTIONS = """
    SELECT DISTINCT p.oid, p.proname, p.prosecdef, coalesce(p.proconfig, '{}'), p.proacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND (
        p.prosrc ~ 'engagement|user_profiles|message_templates|reply_phrases'
        OR p.proname ~ 'engagement|transitions|quiet_until'
        OR p.oid IN (SELECT tgfoid FROM pg_trigger WHERE tgrelid = ANY (%s::regclass[]) AND NOT tgisinternal)
    )
"""


def test_security_definer_functions_are_restricted():
    with own_connection() as session:
        found = session.execute(FUNCTIONS, [tables(session)]).fetchall()
    definers = [one for one in found if one[2]]
    assert {name for _oid, name, *_rest in definers} >= {
        "create_member_profiles",
        "redirect_pending_messages",
        "erase_person_in_engagement",
    }
    loose = [
        name
        for _oid, name, _definer, config, is_public in definers
        if is_public or not any(each.startswith("search_path=public, pg_temp") for each in config)
    ]
    assert loose == []


def test_no_view_bypasses_policies():
    with own_connection() as session:
        views = """
            SELECT DISTINCT v.relname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.refobjid = ANY (%s::regclass[]) AND v.relkind IN ('v', 'm')
                AND NOT coalesce(v.reloptions::text LIKE '%%security_invoker=true%%', false)
        """
        assert session.execute(views, [tables(session)]).fetchall() == []
    # Control: the query finds an existing view.
    with owner() as session:
        session.execute("CREATE VIEW everyone AS SELECT user_id, state FROM user_engagement_states")
        assert session.execute(views, [tables(session)]).fetchall() == [("everyone",)]
        session.execute("ALTER VIEW everyone SET (security_invoker = true)")
        assert session.execute(views, [tables(session)]).fetchall() == []
