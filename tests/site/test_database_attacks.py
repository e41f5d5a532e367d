"""Ways around history, logs and rules, tried as the site's role with SQL at hand. Each has its negative control."""

from contextlib import nullcontext

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from engagement.models import UserEngagementState
from fallback.models import GithubPullRequest
from groups.models import Event
from missionsite.common.audit.context import changeset
from missionsite.common.audit.history import changes_of
from missionsite.common.sql_loader import read_sql
from tests.engagement.owner_connection import owner
from tests.support.database import rejected_by, row, rows
from tests.support.factories.engagement import PersonFactory
from tests.support.factories.fallback import ItemFactory, RepositoryFactory
from tests.support.factories.fallback import MissionFactory as BoardMissionFactory
from tests.support.factories.groups import MemberFactory, MembershipFactory, ParticipationFactory, TaskFactory
from tests.support.factories.missiondeck import ChatMessageFactory, DeckMissionFactory, DodItemFactory

pytestmark = pytest.mark.django_db
DENIED = "42501"


def denied(sql: str, parameters=None) -> bool:
    """Whether the statement is rejected for want of a privilege; nothing of it is kept."""
    try:
        with transaction.atomic():
            rows(sql, parameters)
    except DatabaseError as error:
        if error.__cause__.sqlstate != DENIED:
            raise
        return True
    return False


def history_of(member) -> int:
    return row("SELECT count(*) FROM public.members_history WHERE pgh_obj_id = %s", [member.pk])[0]


# --- search_path ------------------------------------------------------------------------------

UNPINNED = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'public'::regnamespace AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
        AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


def test_every_function_has_its_search_path():
    assert rows(UNPINNED.replace("%", "%%"), []) == []
    assert row("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")[0] > 100


@pytest.mark.django_db(transaction=True)
def test_control_new_function_is_pinned_by_next_migrate():
    with owner() as session:
        session.execute(
            "CREATE FUNCTION finds_anything() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM members'"
        )
        assert session.execute(UNPINNED).fetchall() == [("finds_anything()",)]
        session.execute(read_sql("common/after_migrate/functions"))
        assert session.execute(UNPINNED).fetchall() == []


def test_temporary_table_hides_no_history():
    member = MemberFactory()
    rows("CREATE TEMP TABLE members_history (LIKE public.members_history INCLUDING ALL)")
    before = history_of(member)
    rows("UPDATE public.members SET trust_score = 3 WHERE id = %s", [member.pk])
    assert history_of(member) == before + 1
    assert row("SELECT count(*) FROM pg_temp.members_history") == (0,)
    # Negative control: a caller's own statement does find the temporary table.
    assert row("SELECT count(*) FROM members_history") == (0,)


def test_temporary_table_hides_no_timeline():
    mission = BoardMissionFactory()
    count = "SELECT count(*) FROM public.mission_events WHERE mission_id = %s"
    rows("CREATE TEMP TABLE mission_events (LIKE public.mission_events INCLUDING ALL)")
    before = row(count, [mission.pk])[0]
    rows("UPDATE public.missions SET list = 'doing' WHERE id = %s", [mission.pk])
    assert row(count, [mission.pk])[0] > before


# --- pgtrigger.ignore -------------------------------------------------------------------------

IGNORE = """
    SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger
    WHERE tgrelid = 'public.members'::regclass AND tgname LIKE 'pgtrigger%'
"""


def test_site_cannot_switch_history_off():
    member = MemberFactory()
    before = history_of(member)
    rows(IGNORE.replace("%", "%%"), [])
    rows("UPDATE members SET is_superuser = true WHERE id = %s", [member.pk])
    assert history_of(member) == before + 1


@pytest.mark.django_db(transaction=True)
def test_control_owner_can_switch_history_off():
    member = MemberFactory()
    before = history_of(member)
    with owner() as session:
        session.execute(IGNORE)
        session.execute("UPDATE members SET trust_score = 3 WHERE id = %s", [member.pk])
        session.commit()
    assert history_of(member) == before


# --- Forged and back-dated rows ---------------------------------------------------------------


@pytest.mark.parametrize("table", ["members_history", "memberships_history", "tasks_history", "user_profiles_history"])
def test_site_cannot_write_history(table):
    assert denied(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
    # Negative control.
    assert not denied(f"SELECT count(*) FROM {table}")


def test_history_trigger_cannot_be_attached_to_own_table():
    (name,) = row(
        "SELECT tgfoid::regproc::text FROM pg_trigger WHERE tgrelid = 'members'::regclass AND tgname LIKE %s",
        ["pgtrigger_del%"],
    )
    rows("CREATE TEMP TABLE forged (LIKE public.members)")
    trigger = "CREATE TRIGGER t AFTER DELETE ON forged {} FOR EACH STATEMENT EXECUTE FUNCTION {}()"
    assert denied(trigger.format("REFERENCING OLD TABLE AS old_values", name))
    # Negative control: a function that anyone may call.
    assert not denied(trigger.format("", "reject_event_change"))


@pytest.mark.rule("events_stamp")
def test_back_dated_event_gets_the_time_of_its_transaction():
    member, other = MemberFactory(), MemberFactory()
    rows("SELECT set_config('app.actor_id', %s, true)", [str(other.pk)])
    columns = "type, actor_id, occurred_at, changeset_id"
    sql = f"INSERT INTO events ({columns}) VALUES ('a.b', %s, '2001-01-01', %s) RETURNING id"
    (number,) = row(sql, [member.pk, member.pk])
    event = Event.objects.get(pk=number)
    assert (event.occurred_at, event.actor_id, event.changeset_id) == (row("SELECT now()")[0], other.pk, None)


@pytest.mark.django_db(transaction=True)
def test_control_owner_restores_earlier_events():
    with owner() as session:
        session.execute("INSERT INTO events (type, occurred_at) VALUES ('a.b', '2001-01-01')")
        assert session.execute("SELECT extract(year FROM occurred_at) FROM events").fetchall() == [(2001,)]


@pytest.mark.rule("mission_events_stamp", "project_activity_stamp")
@pytest.mark.parametrize("table", ["mission_events", "project_activity"])
def test_back_dated_timeline_gets_the_time_of_its_transaction(table):
    mission = BoardMissionFactory()
    columns = "project_id, type, origin, occurred_at"
    sql = f"INSERT INTO {table} ({columns}) VALUES (%s, 'a.b', 'user', '2001-01-01') RETURNING occurred_at = now()"
    assert row(sql, [mission.project_id]) == (True,)


# --- Changesets -------------------------------------------------------------------------------


def test_site_cannot_change_changesets():
    with changeset(user="someone"):
        MemberFactory()
    for statement in (
        "UPDATE pghistory_context SET metadata = '{}'",
        "DELETE FROM pghistory_context",
        "INSERT INTO pghistory_context SELECT gen_random_uuid(), now(), now(), '{}'",
    ):
        assert denied(statement), statement


def test_changeset_keeps_its_user_and_takes_what_is_missing():
    member = MemberFactory()
    with changeset(user=str(member.pk)) as number:
        member.trust_score = 3
        member.save()
    settings = "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)"
    rows(settings, [str(number), '{"user": "someone else", "url": "/elsewhere/"}'])
    rows("UPDATE members SET trust_score = 4 WHERE id = %s", [member.pk])
    metadata = "SELECT metadata FROM pghistory_context WHERE id = %s"
    assert row(metadata, [number])[0] == '{"url": "/elsewhere/", "user": "' + str(member.pk) + '"}'
    assert changes_of(member)[0].actor == member


# --- Sequences and deletion -------------------------------------------------------------------


def test_site_cannot_move_a_sequence():
    sequences = [name for (name,) in rows("SELECT schemaname || '.' || sequencename FROM pg_sequences")]
    assert len(sequences) > 20
    for name in sequences:
        assert denied("SELECT setval(%s, 1000000)", [name]), name
    # Negative control: it takes numbers.
    assert not denied("SELECT nextval('events_id_seq')")


# Where the product deletes: sessions, roles, expired counts and responses, jobs and leases, an undone acceptance, a
# dependency, a role in a project, an item of a checklist, a favourite, a saved view, a
# project or clone of a workstation, an old delivery of GitHub, an
# assignment, a star, a tag, a note, the value of a custom field.
DELETABLE = {
    "bulk_edit_rows",
    "account_emailaddress",
    "account_emailconfirmation",
    "mfa_authenticator",
    "socialaccount_socialaccount",
    "socialaccount_socialtoken",
    "usersessions_usersession",
    "api_idempotency_keys",
    "api_request_counts",
    "auth_group_permissions",
    "custom_values",
    "django_session",
    "dod_items",
    "engagement_claims",
    "github_deliveries",
    "members_groups",
    "mission_assignments",
    "mission_dependencies",
    "mission_stars",
    "missions",
    "notes",
    "password_delays",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
    "project_members",
    "project_stars",
    "project_workstations",
    "site_favourites",
    "site_saved_views",
    "taggings",
    "tags",
    "unassigned_messages",
    "worker_processes",
    "workstation_repositories",
}


def test_site_deletes_only_where_the_product_does():
    may = rows(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
           AND has_table_privilege(oid, 'DELETE')"""
    )
    assert {name for (name,) in may} == DELETABLE


# --- Time limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"])
def test_roles_have_time_limits(setting):
    (limit,) = row("SELECT setting::integer FROM pg_settings WHERE name = %s AND source = 'user'", [setting])
    assert 0 < limit <= 600_000


def test_long_statement_is_cancelled():
    rows("SET LOCAL statement_timeout = '50ms'")
    with pytest.raises(DatabaseError) as cancelled, transaction.atomic():
        rows("SELECT pg_sleep(5)")
    assert cancelled.value.__cause__.sqlstate == "57014"


# --- API tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize(("expiry", "is_rejected"), [("50 years", True), ("9000 years", True), ("366 days", False)])
def test_token_lives_a_year_at_most(expiry, is_rejected):
    member = MemberFactory()
    token = f"""INSERT INTO api_tokens (owner_id, created_by_id, name, prefix, digest, scopes, expires_at)
        VALUES (%s, %s, 'n', 'ms_abcdef', repeat('a', 64), '{{missions:read}}', now() + interval '{expiry}')"""
    with rejected_by("api_tokens_lifetime") if is_rejected else nullcontext():
        rows(token, [member.pk, member.pk])


# --- Rows without meaning ---------------------------------------------------------------------

MEANINGLESS = {
    "members_email_format": [
        "UPDATE members SET email = ''",
        "UPDATE members SET email = 'nonsense'",
        "UPDATE members SET email = E'a@b.example\\nBcc: c@d.example'",
    ],
    "members_display_name_not_empty": ["UPDATE members SET display_name = ' '"],
    "groups_name_not_empty": ["UPDATE groups SET name = ''"],
    "tasks_title_not_empty": ["UPDATE tasks SET title = ''"],
    "member_participation_room_not_empty": ["UPDATE member_participation SET room_id = ''"],
    "community_members_github_profile_object": ["UPDATE community_members SET github_profile_data = '[1]'"],
    "missions_list_order_number": ["UPDATE missions SET list_order = 'NaN'"],
    "missions_solution_path_inside": [
        "UPDATE missions SET solution_path = '../../etc/passwd'",
        "UPDATE missions SET solution_path = '/etc/passwd'",
        "UPDATE missions SET solution_path = 'a/..'",
    ],
    "github_pull_requests_number_positive": ["UPDATE github_pull_requests SET number = -5"],
    "user_engagement_states_goodbye_order": [
        "UPDATE user_engagement_states SET goodbye_expires_at = goodbye_sent_at - interval '1 day'"
        " WHERE state = 'goodbye_sent'",
    ],
    "memberships_joined_at_not_in_future": ["UPDATE memberships SET joined_at = '2999-01-01', left_at = '2999-01-02'"],
    "missions_review_has_reviewer": [
        f"UPDATE missions SET review_status = '{status}', reviewed_by_id = NULL" for status in ("approved", "rejected")
    ],
    "mission_fallback_items_reviewed_at_not_in_future": [
        "UPDATE mission_fallback_items SET status = 'discarded', reason = 'duplicate', reviewed_at = '2999-01-01'"
    ],
    "mission_fallback_runs_completed_at_order": [
        "UPDATE mission_fallback_runs SET status = 'cancelled', completed_at = started_at - interval '2 days'"
    ],
    "message_templates_parameters_known": [
        "UPDATE message_templates SET body = 'Hi {{ password }}'",
        "UPDATE message_templates SET subject = '{{ name }} {{names}}'",
    ],
    "deck_missions_completed_at_order": [
        "UPDATE deck_missions SET status = 'complete', completed_at = '2001-01-01', override_reason = 'Paid',"
        " completed_by_id = (SELECT id FROM members LIMIT 1) WHERE status = 'qa'"
    ],
    "dod_items_completed_at_not_in_future": ["UPDATE dod_items SET completed = true, completed_at = '2999-01-01'"],
    "chat_messages_created_at_not_in_future": [
        "INSERT INTO chat_messages (mission_id, sender, message, created_at)"
        " SELECT mission_id, 'user', 'Hello', '2999-01-01' FROM chat_messages"
    ],
}


@pytest.fixture
def things():
    mission = BoardMissionFactory()
    repository = RepositoryFactory(project=mission.project)
    GithubPullRequest.objects.create(mission=mission, repository=repository, number=7, title="T")
    TaskFactory()
    ParticipationFactory()
    MembershipFactory(ended=True)
    ItemFactory()
    DodItemFactory()
    ChatMessageFactory()
    DeckMissionFactory()
    rows("UPDATE deck_missions SET status = 'qa' WHERE id = (SELECT id FROM deck_missions LIMIT 1)")
    # The goodbye has its dates once it is sent.
    now = timezone.now()
    person = PersonFactory(state="goodbye_sent")
    UserEngagementState.objects.filter(user=person).update(goodbye_sent_at=now, goodbye_expires_at=now)
    return mission


@pytest.mark.parametrize(("rule", "statement"), [(rule, each) for rule, of in MEANINGLESS.items() for each in of])
def test_row_without_meaning_is_rejected(things, rule, statement):
    # One row: of several, another rule might be first.
    table = statement.removeprefix("INSERT INTO ").removeprefix("UPDATE ").split()[0]
    key = "ctid"
    where = "WHERE" if " WHERE " not in statement or statement.endswith(")") else "AND"
    of = statement.rpartition(" WHERE ")[2] if where == "AND" else "true"
    one = f"{key} = (SELECT {key} FROM {table} WHERE {of} ORDER BY ctid DESC LIMIT 1)"
    assert row(f"SELECT count(*) FROM {table} WHERE {one}") == (1,)
    with rejected_by(rule):
        rows(f"{statement} {where} {one}".replace("%", "%%"))


@pytest.mark.parametrize("path", ["", "src/solution.py", "a..b/c", "..."])
def test_usual_paths_are_kept(things, path):
    rows("UPDATE missions SET solution_path = %s WHERE id = %s", [path, things.pk])
