"""Values that the tables reject and accept, checked by raw SQL as the site role."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from missiondeck.models import Category, Citizen, DeckMission, DeckStatus
from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import insert, mission, raw_mission
from tests.support.database import assert_rejects_alone, rejected_by, rows

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

MISSIONS = [
    ({"number": 0}, "number_positive"),
    ({"number": -47}, "number_positive"),
    ({"title": ""}, "title_not_empty"),
    ({"title": " \n\t"}, "title_not_empty"),
    ({"client": "  "}, "client_not_empty"),
    ({"budget": 0}, "budget_positive"),
    ({"deadline": "1999-12-31T23:59:59Z"}, "deadline_range"),
    ({"deadline": "2200-01-01T00:00:00Z"}, "deadline_range"),
    ({"deadline": "infinity"}, "deadline_range"),
    ({"currency": "usd"}, "currency_form"),
    ({"currency": "US"}, "currency_form"),
    ({"currency": "U$D"}, "currency_form"),
    ({"currency": ""}, "currency_form"),
    ({"assigned_to": ""}, "assigned_to_form"),
    ({"assigned_to": "Emma"}, "assigned_to_form"),
    ({"assigned_to": "a b@example.org"}, "assigned_to_form"),
    ({"assigned_to": "a@b@example.org"}, "assigned_to_form"),
    ({"github_url": "http://github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a"}, "github_url_form"),
    ({"github_url": "https://gitlab.com/a"}, "github_url_form"),
    ({"github_url": "https://localhost/a/b"}, "github_url_form"),
    ({"github_url": "https://user@github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b/issues"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b?x=<script>"}, "github_url_form"),
    ({"github_url": "https://github.com/a--b/c"}, "github_url_form"),
    ({"github_url": "javascript:alert(1)//github.com/a/b"}, "github_url_form"),
    ({"github_url": " https://github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b\n"}, "github_url_form"),
    ({"status": "lost"}, None),
    ({"completed_at": "now"}, "completion_consistent"),
    ({"completed_at": "2001-01-01Z"}, "completed_at_order"),
    ({"override_reason": "because"}, "completion_consistent"),
]


@pytest.mark.seed(
    "001 Table 1",
    "001 missions.title",
    "001 missions.client",
    "001 missions.budget",
    "001 missions.deadline",
    "001 missions.assigned_to",
    "001 missions.github_url",
)
@pytest.mark.parametrize(("values", "rule"), MISSIONS)
@pytest.mark.rule(
    "deck_missions_assigned_to_form",
    "deck_missions_budget_positive",
    "deck_missions_client_not_empty",
    "deck_missions_completed_at_order",
    "deck_missions_completion_consistent",
    "deck_missions_currency_form",
    "deck_missions_deadline_range",
    "deck_missions_number_positive",
    "deck_missions_title_not_empty",
)
def test_mission_rejects(values, rule):
    with rejected_by(f"deck_missions_{rule or 'begin_active'}"):
        raw_mission(**values)


@pytest.mark.parametrize(("values", "rule"), [each for each in MISSIONS if "status" not in each[0]])
def test_mission_change_rejects(values, rule):
    [(name, value)] = values.items()
    made = mission()
    # Number and completion are immutable, so their other rules are never reached.
    is_immutable = name in ("number", "completed_at", "override_reason")
    with rejected_by("deck_missions_immutable_fields" if is_immutable else f"deck_missions_{rule}"):
        rows(f"UPDATE deck_missions SET {name} = %s WHERE id = %s", [value, made.pk])


@pytest.mark.seed("001 missions.budget")
def test_negative_budget_is_rejected():
    """Rejected by Django's CHECK of a positive number, which PostgreSQL evaluates first."""
    with rejected_by("deck_missions_budget_check"):
        raw_mission(budget=-1)


def test_unknown_status_is_rejected():
    made = mission()
    with rejected_by("deck_missions_one_step"):
        rows("UPDATE deck_missions SET status = 'lost' WHERE id = %s", [made.pk])


@pytest.mark.seed("001 missions.status")
def test_unknown_status_is_rejected_without_trigger():
    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        session.execute("ALTER TABLE deck_missions DISABLE TRIGGER deck_missions_begin_active")
        with pytest.raises(Exception, match="deck_missions_status_known"):
            session.execute(
                """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to, status)
                   VALUES ('Bot', 'Acme', 300, now(), 'a@example.org', 'lost')"""
            )
        session.rollback()


@pytest.mark.seed("001 missions.github_url")
@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://github.com/mind-protocol/mission-47",
        "https://github.com/a/b.git/",
        "https://github.com/A1/_._",
        "https://gitlab.com/a/b/c",
        "https://git.example.org:8443/a/b/",
    ],
)
def test_valid_repositories_are_accepted(address):
    raw_mission(github_url=address)


@pytest.mark.parametrize("field", [{"budget": 0}, {"currency": "usd"}, {"github_url": "https://gitlab.com/a"}])
def test_form_validates_before_database(field):
    values = {"title": "Bot", "client": "Acme", "budget": 300, "deadline": NOW, "assigned_to": "a@example.org"}
    with pytest.raises(ValidationError):
        DeckMission(**(values | field)).full_clean()


@pytest.mark.seed("001 Table 2", "001 dod_items.text", "001 dod_items.category", "001 dod_items.completed_at")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"category": "fun"}, "category_known"),
        ({"category": "Functional"}, "category_known"),
        ({"text": ""}, "text_not_empty"),
        ({"text": " \n"}, "text_not_empty"),
        ({"completed": True}, "completion_consistent"),
        ({"completed_at": NOW}, "completion_consistent"),
        ({"position": -1}, "position_check"),
    ],
)
@pytest.mark.rule("dod_items_category_known", "dod_items_completion_consistent")
def test_item_rejects(values, rule):
    with rejected_by(f"dod_items_{rule}"):
        insert("dod_items", **({"mission_id": mission().pk, "text": "It works"} | values))


@pytest.mark.seed("001 Table 3", "001 chat_messages.sender", "001 chat_messages.message")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"citizen": "bob"}, "citizen_known"),
        ({"citizen": "Emma"}, "citizen_known"),
        ({"citizen": ""}, "citizen_known"),
        ({"sender": "system"}, "sender_known"),
        ({"message": ""}, "message_not_empty"),
        ({"message": " \n\t "}, "message_not_empty"),
        ({"message": "x" * 100_001}, "message_length"),
    ],
)
@pytest.mark.rule("chat_messages_citizen_known", "chat_messages_sender_known")
def test_message_rejects(values, rule):
    with rejected_by(f"chat_messages_{rule}"):
        insert("chat_messages", **({"mission_id": mission().pk, "sender": "user", "message": "Hi"} | values))


@pytest.mark.seed("001 Table 4")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        # The outcome is checked before the known values.
        ({"status": "green"}, "status_follows_from_results"),
        ({"status": ""}, "status_follows_from_results"),
        ({"source": "paper"}, "source_known"),
        ({"digest": "abc"}, "digest_form"),
        ({"digest": "A" * 64}, "digest_form"),
        ({"digest": "g" * 64}, "digest_form"),
        ({"import_key": "build 7"}, "key_form"),
        ({"import_key": "bülid"}, "key_form"),
    ],
)
@pytest.mark.rule("test_runs_digest_form", "test_runs_key_form", "test_runs_source_known")
def test_run_rejects(values, rule):
    with rejected_by(f"test_runs_{rule}"):
        insert("test_runs", **({"mission_id": mission().pk, "status": "running"} | values))


def test_run_with_unknown_status_is_rejected():
    with rejected_by("test_runs_status_follows_from_results"):
        insert("test_runs", mission_id=mission().pk, status="green", results='[{"name": "a", "status": "passed"}]')


NEW_MISSION = """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
    VALUES ('Bot', 'Acme', 300, now(), 'a@example.org')"""


def test_unknown_run_status_is_rejected_without_outcome():
    assert_rejects_alone(
        "test_runs_status_known",
        f"""{NEW_MISSION}; INSERT INTO test_runs (mission_id, status, results)
            SELECT id, 'green', '[]' FROM deck_missions""",
        prepare="ALTER TABLE test_runs DROP CONSTRAINT test_runs_status_follows_from_results",
    )


@pytest.mark.parametrize(("status", "finished_at"), [("running", "now()"), ("failed", "NULL")])
def test_finish_time_must_fit_status_without_trigger(status, finished_at):
    assert_rejects_alone(
        "test_runs_finished_at_consistent",
        f"""{NEW_MISSION}; INSERT INTO test_runs (mission_id, status, results, finished_at)
            SELECT id, '{status}', '[]', {finished_at} FROM deck_missions""",
        prepare="ALTER TABLE test_runs DISABLE TRIGGER USER",
    )


@pytest.mark.rule("deck_status_changes_from_status_known", "deck_status_changes_to_status_known")
@pytest.mark.parametrize("column", ["from_status", "to_status"])
def test_unknown_status_of_change_is_rejected(column):
    values = {"from_status": "active", "to_status": "qa"} | {column: "lost"}
    assert_rejects_alone(
        f"deck_status_changes_{column}_known",
        f"""{NEW_MISSION}; INSERT INTO deck_status_changes (mission_id, from_status, to_status)
            SELECT id, '{values["from_status"]}', '{values["to_status"]}' FROM deck_missions""",
        # The site role cannot write this table at all.
        prepare="SET CONSTRAINTS ALL DEFERRED",
    )


def test_file_of_latest_run_needs_key():
    first, second, digest = mission(), mission(), "0f" * 32
    insert("test_runs", mission_id=first.pk, status="running", digest=digest)
    insert("test_runs", mission_id=second.pk, status="running", digest=digest)
    with rejected_by("test_runs_file_unique"):
        insert("test_runs", mission_id=first.pk, status="running", digest=digest)
    insert("test_runs", mission_id=first.pk, status="running", digest=digest, import_key="build-7")
    insert("test_runs", mission_id=first.pk, status="running")
    insert("test_runs", mission_id=first.pk, status="running", digest=digest)


def test_key_is_unique_per_mission():
    first, second = mission(), mission()
    for made in (first, second):
        insert("test_runs", mission_id=made.pk, status="running", import_key="build-7")
    with rejected_by("test_runs_key_unique"):
        insert("test_runs", mission_id=first.pk, status="running", import_key="build-7")


@pytest.mark.seed("001 dod_items.category", "001 chat_messages.citizen", "001 chat_messages.sender")
def test_all_values_of_seed_are_accepted():
    made = mission()
    for category in Category.values:
        insert("dod_items", mission_id=made.pk, text=category, category=category)
    keys = set(Citizen.objects.values_list("key", flat=True))
    for citizen in keys:
        for sender in ("user", "citizen"):
            insert("chat_messages", mission_id=made.pk, citizen=citizen, sender=sender, message="Hi")
    insert("test_runs", mission_id=made.pk, status="running")
    for status in ("passed", "failed"):
        insert("test_runs", mission_id=made.pk, status=status, results=f'[{{"name": "a", "status": "{status}"}}]')
    assert set(Category.values) == {"functional", "non-functional", "tests"}
    assert set(DeckStatus.values) == {"active", "qa", "complete"}
    assert {"rafael", "sofia", "emma", "inna", "maya"} == keys
