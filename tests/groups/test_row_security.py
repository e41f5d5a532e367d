"""The three database roles: limits of the site's role, and what the member role sees and changes."""

import pytest
from django.db import DatabaseError, connection, transaction

from groups.models import Event, Group, Membership, MembershipHistory
from groups.services.memberships import join_mission, leave_mission
from missionsite.common.audit.context import changeset
from missionsite.common.errors import DomainError, NotAllowed, translate_db_errors
from missionsite.common.roles import member_session
from tests.support.errors import violates
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db


def sql(query, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else cursor.rowcount


# --- The site's role --------------------------------------------------------------------------


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
def test_site_role_has_no_elevated_rights():
    [(name, superuser, bypass, createrole, createdb)] = sql(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert name == "missionsite_app"
    assert not any((superuser, bypass, createrole, createdb))
    owned = "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    assert sql(owned) == [(0,)]
    assert sql("SELECT pg_has_role(current_user, 'missionsite_owner', 'MEMBER')") == [(False,)]


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
def test_site_role_cannot_truncate_or_alter_tables():
    tables = [name for (name,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert len(tables) > 20
    for table in tables:
        [(may,)] = sql("SELECT has_table_privilege(current_user, %s, 'TRUNCATE')", [f'"{table}"'])
        assert may is False, table
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("ALTER TABLE memberships DISABLE TRIGGER memberships_open_group")


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
@pytest.mark.parametrize(
    "table", ["events", "members_history", "groups_history", "memberships_history", "tasks_history"]
)
def test_records_are_append_only(table):
    may = {
        verb: sql("SELECT has_table_privilege(current_user, %s, %s)", [table, verb])[0][0]
        for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    }
    # Only triggers write history.
    by_the_site = table == "events"
    assert may == {"SELECT": True, "INSERT": by_the_site, "UPDATE": False, "DELETE": False, "TRUNCATE": False}


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
def test_site_role_cannot_delete_changesets():
    with changeset(user="someone") as number:
        MissionFactory()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        sql("DELETE FROM pghistory_context WHERE id = %s", [number])
    assert rejected.value.__cause__.sqlstate == "42501"
    assert sql("SELECT metadata FROM pghistory_context WHERE id = %s", [number]) == [('{"user": "someone"}',)]


# --- A member's own requests ------------------------------------------------------------------


@pytest.fixture
def cast():
    """Alice and Bob share a mission; Charlie is in another; an archived one Alice left; a hard one no one may join."""
    shared, other, hard = MissionFactory(), MissionFactory(), MissionFactory(min_trust_score=500)
    alice, bob, charlie = MemberFactory.create_batch(3)
    old = MembershipFactory(member=bob, group=MissionFactory(), ended=True)
    for member, mission in ((alice, shared), (bob, shared), (charlie, other)):
        join_mission(actor=member, member=member, mission=mission)
    Group.objects.filter(pk=old.group_id).update(status="archived")
    TaskFactory(group=shared)
    return {"alice": alice, "bob": bob, "charlie": charlie, "shared": shared, "other": other, "hard": hard, "old": old}


def seen(member, query, parameters=None):
    """Return the rows of a query under the member role, in a transaction that is rolled back."""
    with transaction.atomic():
        with member_session(member.pk):
            rows = sql(query, parameters)
        transaction.set_rollback(True)
    return rows


def may(member, query, parameters=None):
    """Whether a change under the member role affects a row; False also if the database rejects it."""
    try:
        return seen(member, query, parameters) > 0
    except DatabaseError as error:
        if error.__cause__.sqlstate != "42501":
            raise
        return False


def test_member_sees_memberships_of_shared_missions(cast):
    query = "SELECT member_id FROM memberships ORDER BY 1"
    assert {row for (row,) in seen(cast["alice"], query)} == {cast["alice"].pk, cast["bob"].pk}
    assert {row for (row,) in seen(cast["charlie"], query)} == {cast["charlie"].pk}
    assert len(seen(cast["bob"], query)) == 3, "his own ended membership is visible"


def test_member_sees_members_of_shared_missions_without_email(cast):
    assert {row for (row,) in seen(cast["alice"], "SELECT id FROM members")} == {cast["alice"].pk, cast["bob"].pk}
    for column in ("email", "password", "is_superuser", "last_login"):
        assert not may(cast["alice"], f"SELECT {column} FROM members")


def test_member_sees_active_and_own_groups(cast):
    query = "SELECT id FROM groups WHERE id = %s"
    assert seen(cast["alice"], query, [cast["hard"].pk])
    assert not seen(cast["alice"], query, [cast["old"].group_id])
    assert seen(cast["bob"], query, [cast["old"].group_id])


def test_member_sees_own_events_only(cast):
    rows = seen(cast["alice"], "SELECT member_id FROM events")
    assert {row for (row,) in rows} == {cast["alice"].pk}


def test_role_without_member_sees_nothing(cast):
    with transaction.atomic():
        sql("SELECT set_config('role', 'missionsite_member', true)")
        counts = [sql(f"SELECT count(*) FROM {table}") for table in ("members", "memberships", "events")]
        transaction.set_rollback(True)
    assert counts == [[(0,)]] * 3


JOIN = "INSERT INTO memberships (member_id, group_id, role, status) VALUES (%s, %s, %s, 'active')"
LEAVE = "UPDATE memberships SET status = 'left', left_at = now() WHERE member_id = %s AND status = 'active'"


@pytest.mark.seed("site database roles: the site owns nothing, records only grow, a member sees what is")
def test_member_role_changes_own_memberships_only(cast):
    alice, bob, other, hard = (cast[name] for name in ("alice", "bob", "other", "hard"))
    assert may(alice, JOIN, [alice.pk, other.pk, "Member"])
    assert not may(alice, JOIN, [bob.pk, other.pk, "Member"]), "adds no other member"
    assert not may(alice, JOIN, [alice.pk, other.pk, "Founder"]), "takes no role"
    assert not may(alice, JOIN, [alice.pk, hard.pk, "Member"]), "joins nothing above the own trust score"
    assert may(alice, LEAVE, [alice.pk])
    assert not may(alice, LEAVE, [bob.pk]), "ends no other member's membership"
    assert not may(alice, "UPDATE memberships SET role = 'Founder' WHERE member_id = %s", [alice.pk])
    assert not may(alice, "UPDATE members SET trust_score = 999 WHERE id = %s", [alice.pk])
    assert not may(alice, "UPDATE groups SET min_trust_score = 0")
    assert not may(alice, "DELETE FROM memberships WHERE member_id = %s", [alice.pk])
    event = "INSERT INTO events (type, actor_id, member_id) VALUES ('membership.created', %s, %s)"
    assert may(alice, event, [alice.pk, alice.pk])
    assert not may(alice, event, [bob.pk, alice.pk]), "acts for no one else"


def test_member_role_reads_no_other_table():
    open_to = {
        (table, verb)
        for table, verb in sql(
            """SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
               WHERE a.grantee = 'missionsite_member'::regrole AND c.relnamespace = 'public'::regnamespace"""
        )
    }
    assert open_to == {
        ("groups", "SELECT"),
        ("tasks", "SELECT"),
        ("memberships", "SELECT"),
        ("join_requests", "SELECT"),
        ("mission_counters", "SELECT"),
        ("mission_counts", "SELECT"),
        ("events", "SELECT"),
        ("user_engagement_states", "SELECT"),
        ("user_profiles", "SELECT"),
        ("member_addresses", "SELECT"),
    }


def test_services_work_under_member_role(cast):
    alice, other = cast["alice"], cast["other"]
    with transaction.atomic(), member_session(alice.pk):
        membership = join_mission(actor=alice, member=alice, mission=other)
        with violates("idx_memberships_active_unique"):
            join_mission(actor=alice, member=alice, mission=other)
        leave_mission(actor=alice, member=alice, mission=other)
    assert Membership.objects.get(pk=membership.pk).status == "left"
    assert list(Event.objects.filter(group=other, member=alice).order_by("pk").values_list("type", flat=True)) == [
        "membership.created",
        "membership.ended",
    ]
    assert MembershipHistory.objects.filter(pgh_obj=membership).count() == 2


def test_role_ends_with_its_block(cast):
    with transaction.atomic():
        with member_session(cast["alice"].pk):
            assert sql("SELECT current_user, current_member_id()") == [("missionsite_member", cast["alice"].pk)]
        assert sql("SELECT current_user, current_member_id()") == [("missionsite_app", None)]


def test_database_error_under_role_is_translated(cast):
    with (
        pytest.raises(NotAllowed) as rejected,
        translate_db_errors(),
        transaction.atomic(),
        member_session(cast["alice"].pk),
    ):
        sql("DELETE FROM groups")
    assert isinstance(rejected.value, DomainError)
    assert sql("SELECT current_user") == [("missionsite_app",)]


@pytest.mark.django_db(transaction=True)
def test_role_requires_transaction():
    with pytest.raises(RuntimeError, match="needs a transaction"), member_session(MemberFactory().pk):
        pass
