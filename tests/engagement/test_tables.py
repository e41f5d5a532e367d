"""Columns and constraints of the tables, tested by SQL as the site's role."""

from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from engagement.models import EngagementMessage, UserProfile
from tests.engagement.transition_table import ILLEGAL, LEGAL, STATES, TRIGGERS
from tests.support.database import assert_rejects_alone, rejected_by, row, rows
from tests.support.factories.engagement import PersonFactory, TemplateFactory

pytestmark = pytest.mark.django_db

# Columns of the seed: type, nullability, default. Times have a time zone.
SEED = """
user_engagement_states
    id                        bigint                    needed  identity
    user_id                   uuid                      needed  -
    state                     text                      needed  'active'
    last_activity_at          timestamp with time zone  empty   -
    goodbye_sent_at           timestamp with time zone  empty   -
    goodbye_expires_at        timestamp with time zone  empty   -
    remind_at                 timestamp with time zone  empty   -
    created_at                timestamp with time zone  needed  now()
    updated_at                timestamp with time zone  needed  now()
engagement_state_transitions
    id                        bigint                    needed  identity
    user_id                   uuid                      needed  -
    from_state                text                      needed  -
    to_state                  text                      needed  -
    trigger                   text                      needed  -
    metadata                  jsonb                     needed  '{}'
    created_at                timestamp with time zone  needed  now()
engagement_message_queue
    id                        bigint                    needed  identity
    user_id                   uuid                      needed  -
    message_type              text                      needed  -
    message_key               character varying(100)    needed  -
    message_params            jsonb                     needed  '{}'
    destination               text                      needed  'individual'
    destination_jid           character varying(255)    needed  ''
    scheduled_for             timestamp with time zone  needed  now()
    sent_at                   timestamp with time zone  empty   -
    status                    text                      needed  'pending'
    retry_count               smallint                  needed  0
    error_message             text                      needed  ''
    idempotency_key           character varying(255)    needed  -
    created_at                timestamp with time zone  needed  now()
user_profiles
    preferred_destination     text                      needed  'individual'
    reengagement_opt_out      boolean                   needed  false
    onboarding_tier           integer                   needed  0
    onboarding_tier_progress  jsonb                     needed  '{}'
    magic_moment_at           timestamp with time zone  empty   -
"""
# Columns in addition to the seed.
OURS = """
user_engagement_states
    active_days               smallint                  needed  0
    active_on                 date                      empty   -
    took_part_week            date                      empty   -
    took_part_week_before     date                      empty   -
    unanswered_goodbyes       smallint                  needed  0
    asked_again_at            timestamp with time zone  empty   -
    reminder_expires_at       timestamp with time zone  empty   -
    reminder_queued_at        timestamp with time zone  empty   -
engagement_state_transitions
    actor_id                  uuid                      empty   -
    changeset_id              uuid                      empty   audit_changeset_id()
engagement_message_queue
    attempted_at              timestamp with time zone  empty   -
    provider_message_id       character varying(255)    needed  ''
    channel                   text                      needed  ''
    delivered_at              timestamp with time zone  empty   -
    waiting_for               text                      needed  ''
    announcement_id           bigint                    empty   -
    topic                     text                      needed  ''
    step_id                   bigint                    empty   -
user_profiles
    user_id                   uuid                      needed  -
    locale                    text                      needed  'en'
    timezone                  character varying(64)     needed  'UTC'
    muted_topics              text[]                    needed  '{}'
    channels                  text[]                    needed  '{}'
    individual_jid            character varying(255)    needed  ''
    group_jid                 character varying(255)    needed  ''
    created_at                timestamp with time zone  needed  now()
    updated_at                timestamp with time zone  needed  now()
message_templates
    id                        bigint                    needed  identity
    key                       character varying(100)    needed  -
    locale                    text                      needed  -
    subject                   character varying(200)    needed  -
    body                      text                      needed  -
    announcement_id           bigint                    empty   -
    created_at                timestamp with time zone  needed  now()
    updated_at                timestamp with time zone  needed  now()
engagement_announcements
    id                        bigint                    needed  identity
    title                     character varying(200)    needed  -
    audience                  text                      needed  ''
    topic                     text                      needed  'news'
    per_hour                  integer                   empty   -
    needs_approval            boolean                   needed  false
    waiting_ids               uuid[]                    needed  '{}'
    approved_at               timestamp with time zone  empty   -
    approved_by_id            uuid                      empty   -
    recipients                integer                   needed  0
    skipped                   jsonb                     needed  '{}'
    scheduled_for             timestamp with time zone  needed  now()
    cancelled_at              timestamp with time zone  empty   -
    created_at                timestamp with time zone  needed  now()
    created_by_id             uuid                      empty   -
engagement_claims
    attempt_token             uuid                      needed  -
    claimed_by                character varying(100)    needed  -
    lease_expires_at          timestamp with time zone  needed  -
    attempted_at              timestamp with time zone  needed  -
    message_ids               bigint[]                  needed  -
    user_ids                  uuid[]                    needed  -
    channel                   text                      needed  ''
engagement_inbound_messages
    id                        bigint                    needed  identity
    user_id                   uuid                      needed  -
    platform                  character varying(50)     needed  -
    message_id                character varying(255)    needed  -
    effect                    character varying(50)     needed  ''
    follows_ours              boolean                   needed  false
    text_digest               character varying(64)     needed  ''
    received_at               timestamp with time zone  needed  now()
"""


def parse_columns(*listings):
    """Return {table: {column: (type, nullable or not, default)}} of the listings above."""
    tables = {}
    for line in "".join(listings).splitlines():
        if line and not line.startswith(" "):
            columns = tables.setdefault(line, {})
        elif line:
            name, rest = line.split(maxsplit=1)
            kind, needed, default = (part.strip() for part in rest.rsplit(maxsplit=2))
            columns[name] = (kind, needed, default)
    return tables


# Other spellings of the same type or default.
PLAINLY = {"CURRENT_TIMESTAMP": "now()"}


def columns_of(table):
    return {
        name: (kind, needed, PLAINLY.get(default, default.split("::")[0]))
        for name, kind, needed, default in rows(
            """SELECT a.attname, format_type(a.atttypid, a.atttypmod),
                   CASE WHEN a.attnotnull THEN 'needed' ELSE 'empty' END,
                   CASE WHEN a.attidentity <> '' THEN 'identity'
                       ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '-') END
               FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
               WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped""",
            [table],
        )
    }


@pytest.mark.seed(
    "002 AC-1",
    "002 AC-2",
    "002 AC-3",
    "002 AC-4",
    "002 AC-5",
    "002 Task 1",
    "002 Task 2",
    "002 Subtask 2.1",
    "002 Task 3",
    "002 Subtask 3.1",
    "002 Task 4",
    "002 Subtask 4.1",
    "002 Task 5",
    "002 Subtask 5.2",
    "002 Subtask 5.4",
    "002 Subtask 5.5",
    "002 Task 7",
    "002 Subtask 7.2",
    "002 Note 1",
    "002 Note 2",
    "002 Note 3",
    "002 Testing 1",
)
@pytest.mark.parametrize("table", parse_columns(SEED, OURS))
def test_columns_match_seed_and_additions(table):
    assert columns_of(table) == parse_columns(SEED, OURS)[table]


@pytest.mark.parametrize("table", [*parse_columns(SEED, OURS), "user_profiles_history"])
def test_rows_are_deleted_with_member(table):
    links = rows(
        """SELECT confrelid::regclass::text, confdeltype::text FROM pg_constraint
           WHERE contype = 'f' AND conrelid = %s::regclass
             AND conkey = ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'user_id')""",
        [table],
    )
    if table in ("message_templates", "engagement_announcements", "engagement_claims", "user_profiles_history"):
        assert links == []
    else:
        assert [target for target, _how in links] == ["members"]


# --- Constraints ----------------------------------------------------------------------------------


def queue(**values):
    """Insert a message by SQL; return its ID."""
    values = {
        "user_id": PersonFactory().pk,
        "message_type": "welcome",
        "message_key": "welcome",
        "idempotency_key": "raw",
    } | values
    names = ", ".join(values)
    return row(
        f"INSERT INTO engagement_message_queue ({names}) VALUES ({', '.join(['%s'] * len(values))}) RETURNING id",
        list(values.values()),
    )[0]


NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.seed(
    "002 AC-4", "002 AC-8", "002 Task 4", "002 Subtask 4.2", "002 Subtask 4.3", "002 Subtask 4.4", "002 Subtask 7.5"
)
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"message_type": "nagging"}, "message_type_known"),
        ({"message_type": ""}, "message_type_known"),
        ({"message_type": "Goodbye"}, "message_type_known"),
        ({"status": "lost"}, "status_known"),
        ({"destination": "everywhere"}, "destination_known"),
        ({"waiting_for": "godot"}, "waiting_for_known"),
        # Django's constraint of PositiveSmallIntegerField; ..._retry_count_not_negative is equal.
        ({"retry_count": -1}, "retry_count_check"),
        ({"status": "sent"}, "sent_at_required"),
        ({"message_params": Jsonb([])}, "params_object"),
        ({"message_params": Jsonb("text")}, "params_object"),
        ({"message_params": Jsonb(None)}, "params_object"),
    ],
)
@pytest.mark.rule(
    "engagement_message_queue_destination_known",
    "engagement_message_queue_message_type_known",
    "engagement_message_queue_params_object",
    "engagement_message_queue_status_known",
    "engagement_message_queue_waiting_for_known",
)
def test_queue_rejects_invalid_rows(values, rule):
    with rejected_by(f"engagement_message_queue_{rule}"):
        queue(**values)


def test_negative_retry_count_is_rejected():
    assert_rejects_alone(
        "engagement_message_queue_retry_count_not_negative",
        """INSERT INTO members (email, display_name) VALUES ('ana@example.org', 'Ana');
           INSERT INTO engagement_message_queue (user_id, message_type, message_key, idempotency_key, retry_count)
           SELECT id, 'welcome', 'welcome', 'raw', -1 FROM members WHERE email = 'ana@example.org'""",
        prepare="ALTER TABLE engagement_message_queue DROP CONSTRAINT engagement_message_queue_retry_count_check",
    )


@pytest.mark.seed("002 Subtask 4.2")
def test_queue_accepts_every_choice():
    types = ("welcome", "tier_unlock", "goodbye", "weekly_review", "reminder", "help_restart", "announcement")
    for kind in types:
        for destination in ("individual", "group"):
            queue(message_type=kind, destination=destination, idempotency_key=f"{kind} {destination}")
    for status in ("pending", "failed", "cancelled"):
        queue(status=status, idempotency_key=status)
    queue(status="sent", sent_at=NOW, idempotency_key="sent")
    assert EngagementMessage.objects.count() == 2 * len(types) + 4


@pytest.mark.seed("002 Subtask 4.5", "002 Note 6")
def test_idempotency_key_is_unique():
    queue(idempotency_key="twice")
    with rejected_by("engagement_message_queue_idempotency_key_key"):
        queue(idempotency_key="twice", message_type="reminder")


@pytest.mark.seed("002 AC-8", "002 Task 5", "002 Subtask 5.1", "002 Subtask 5.3", "002 Subtask 7.5")
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("preferred_destination = 'email'", "preferred_destination_known"),
        ("locale = 'pt'", "locale_known"),
        ("locale = 'EN'", "locale_known"),
        ("onboarding_tier = -1", "onboarding_tier_range"),
        ("onboarding_tier = 4", "onboarding_tier_range"),
        ("timezone = 'Mars/Olympus'", "timezone_known"),
        ("timezone = ''", "timezone_known"),
        ("timezone = 'CEST'", "timezone_known"),
        ("timezone = '+02:00'", "timezone_known"),
        ("timezone = 'America/Sao Paulo'", "timezone_known"),
        ("timezone = 'utc''; --'", "timezone_known"),
    ],
)
@pytest.mark.rule("user_profiles_locale_known", "user_profiles_preferred_destination_known")
def test_profile_rejects_invalid_rows(changes, rule):
    person = PersonFactory()
    with rejected_by(f"user_profiles_{rule}"):
        rows(f"UPDATE user_profiles SET {changes} WHERE user_id = %s", [person.pk])


@pytest.mark.seed("002 AC-5", "002 Subtask 5.1", "002 Subtask 5.3")
@pytest.mark.parametrize(
    "zone", ["UTC", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "Asia/Kathmandu"]
)
def test_profile_accepts_time_zones_and_tiers(zone):
    person = PersonFactory()
    for tier in range(4):
        rows(
            "UPDATE user_profiles SET timezone = %s, onboarding_tier = %s, locale = 'pt-BR' WHERE user_id = %s",
            [zone, tier, person.pk],
        )
    assert UserProfile.objects.get(pk=person.pk).timezone == zone


def test_address_is_unique_unless_empty():
    PersonFactory(profile={"individual_jid": "55@chat", "group_jid": "g@chat"})
    PersonFactory(profile={"group_jid": "g@chat"})
    other = PersonFactory()
    with rejected_by("user_profiles_individual_jid_unique"):
        rows("UPDATE user_profiles SET individual_jid = '55@chat' WHERE user_id = %s", [other.pk])


@pytest.mark.seed("002 Subtask 7.5")
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"locale": "de"}, "message_templates_locale_known"),
        ({"body": " \n\t "}, "message_templates_not_empty"),
        ({"body": ""}, "message_templates_not_empty"),
        ({"subject": "  "}, "message_templates_not_empty"),
        ({"key": "welcome"}, "message_templates_key_unique"),
    ],
)
def test_template_rejects_invalid_rows(changes, rule):
    with rejected_by(rule):
        TemplateFactory(**changes)


@pytest.mark.seed("002 Note 5")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("goodbye_sent_at = now()", "user_engagement_states_goodbye_dates"),
        ("goodbye_expires_at = now()", "user_engagement_states_goodbye_dates"),
        ("asked_again_at = now()", "user_engagement_states_question_dates"),
        ("reminder_queued_at = now()", "user_engagement_states_question_dates"),
        ("remind_at = now()", "user_engagement_states_reminder_date"),
    ],
)
def test_state_rejects_dates_of_other_states(values, rule):
    person = PersonFactory(state="active")
    with rejected_by(rule):
        rows(f"UPDATE user_engagement_states SET {values} WHERE user_id = %s", [person.pk])


@pytest.mark.parametrize(
    ("state", "changes", "rule"),
    [
        ("goodbye_sent", "goodbye_expires_at = now()", "goodbye_dates"),
        ("goodbye_sent", "goodbye_sent_at = now()", "goodbye_dates"),
        ("goodbye_sent", "reminder_queued_at = now()", "question_dates"),
        ("goodbye_sent", "reminder_expires_at = now()", "question_dates"),
        ("remind_later", "asked_again_at = now()", "question_dates"),
        ("remind_later", "remind_at = NULL", "reminder_date"),
    ],
)
def test_state_requires_its_dates(state, changes, rule):
    person = PersonFactory(state=state)
    with rejected_by(f"user_engagement_states_{rule}"):
        rows(f"UPDATE user_engagement_states SET {changes} WHERE user_id = %s", [person.pk])


@pytest.mark.seed(
    "002 AC-2", "002 AC-8", "002 Task 2", "002 Subtask 2.2", "002 Subtask 7.5", "002 Note 3", "002 Testing 3"
)
def test_unknown_state_is_rejected():
    person = PersonFactory(state="active")
    rows("SELECT set_config('engagement.trigger', 'user_message', true)")
    with rejected_by("user_engagement_states_state_known"):
        rows("UPDATE user_engagement_states SET state = 'gone' WHERE user_id = %s", [person.pk])


@pytest.mark.seed("002 Subtask 2.3")
def test_member_has_one_state():
    person = PersonFactory(state="active")
    with rejected_by("user_engagement_states_user_id_key"):
        rows("INSERT INTO user_engagement_states (user_id) VALUES (%s)", [person.pk])


@pytest.mark.seed("002 AC-3", "002 AC-8", "002 Task 3")
def test_log_accepts_only_ten_transitions():
    person = PersonFactory()
    add = "INSERT INTO engagement_state_transitions (user_id, from_state, trigger, to_state) VALUES (%s, %s, %s, %s)"
    for (before, trigger), after in LEGAL.items():
        rows(add, [person.pk, before, trigger, after])
    triples = [(before, trigger, after) for before, trigger in ILLEGAL for after in STATES]
    triples += [(*pair, after) for pair, right in LEGAL.items() for after in STATES if after != right]
    assert len(triples) == len(STATES) * len(TRIGGERS) * len(STATES) - 10
    for triple in triples:
        with rejected_by("engagement_state_transitions_legal"):
            rows(add, [person.pk, *triple])


# --- Comments -------------------------------------------------------------------------------------


def test_tables_of_seed_and_their_columns_have_comments():
    found = rows(
        """SELECT c.relname, coalesce(a.attname, '') FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
           LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
           WHERE d.classoid = 'pg_class'::regclass"""
    )
    wanted = {
        "user_engagement_states": ("last_activity_at", "goodbye_sent_at", "goodbye_expires_at", "remind_at"),
        "engagement_state_transitions": ("metadata",),
        "engagement_message_queue": ("message_key", "message_params", "destination_jid", "idempotency_key"),
        "user_profiles": ("preferred_destination", "reengagement_opt_out", "onboarding_tier", "magic_moment_at"),
    }
    assert {(table, column) for table, columns in wanted.items() for column in ("", *columns)} <= set(found)
