"""The index that each query uses, by EXPLAIN on a directory of realistic size."""

import json

import pytest

from tests.support.concurrency import execute_as_owner
from tests.support.database import row

pytestmark = pytest.mark.django_db

# 20,000 entries, invitations and relationships, 50,000 events and days. Realistic shares: most are active developers,
# few are pending, most invitations ended, most events are Telegram messages.
PEOPLE = """
    INSERT INTO community_members (member_id, telegram_id, telegram_username, name, primary_role, organization, country,
        github_username, github_verified, github_verified_at, status, reputation_score, invited_by, created_at)
    SELECT '#' || i, 900000000 + i, 'person' || md5(i::text), 'Person ' || md5('n' || i),
        CASE i % 100 WHEN 0 THEN 'investor' WHEN 1 THEN 'founder' WHEN 2 THEN 'researcher' ELSE 'developer' END,
        'Organisation ' || md5('o' || i / 20), 'Brazil', 'dev-' || md5('g' || i), i % 3 = 0,
        CASE WHEN i % 3 = 0 THEN now() END, CASE i % 200 WHEN 0 THEN 'pending' WHEN 1 THEN 'suspended'
            WHEN 2 THEN 'banned' ELSE 'active' END,
        CASE WHEN i % 100 = 0 THEN 2501 + i % 4000 ELSE i % 1000 END,
        CASE WHEN i > 60 THEN '#' || i - 20 * (1 + i % 3) END, now() - i * interval '20 minutes'
    FROM generate_series(1, 20000) i;
    INSERT INTO community_invitations (invitation_code, created_by, status, created_at, expires_at)
    SELECT translate(upper(substr(md5('c' || i), 1, 16)), '01', 'XY'), '#' || i / 2 + 1,
        CASE WHEN i < 1000 THEN 'pending' WHEN i % 4 = 0 THEN 'cancelled' ELSE 'expired' END,
        now() - i * interval '10 minutes', now() - i * interval '10 minutes' + interval '3 days'
    FROM generate_series(1, 20000) i;
    ANALYZE community_members;
    INSERT INTO member_relationships (entity_id_a, entity_id_b, relationship_type)
    SELECT 'entity ' || i / 3, 'entity ' || 100000 + i, CASE i % 200 WHEN 0 THEN 'REFERRED' WHEN 1 THEN 'MENTORED'
        ELSE 'INVITED' END FROM generate_series(1, 20000) i;
    INSERT INTO member_participation (member_id, event_type, platform, room_id, occurred_at)
    SELECT '#' || 1 + i % 1000, CASE i % 200 WHEN 0 THEN 'LEAVE' WHEN 1 THEN 'VOICE' ELSE 'MESSAGE' END,
        CASE i % 200 WHEN 0 THEN 'kick' WHEN 1 THEN 'github' ELSE 'telegram' END, '-1001',
        now() - i * interval '1 minute'
    FROM generate_series(1, 50000) i;
    INSERT INTO member_daily_highlights (member_id, highlight_date, message_count)
    SELECT '#' || 1 + i / 50, current_date - i % 50, i FROM generate_series(0, 49999) i;
    ANALYZE community_invitations, member_relationships, member_participation, member_daily_highlights;
"""
EMPTY = """
    TRUNCATE community_members, community_invitations, member_relationships, member_participation,
        member_daily_highlights, community_members_history, community_invitations_history CASCADE;
"""


@pytest.fixture(scope="module", autouse=True)
def people(django_db_setup):
    execute_as_owner(EMPTY + PEOPLE)
    yield
    execute_as_owner(EMPTY)


def indexes_used(query, parameters=None):
    [(plan,)] = [row(f"EXPLAIN (FORMAT JSON) {query}", parameters)]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    used, nodes = set(), [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        used.add(node.get("Index Name") or node["Node Type"])
        nodes += node.get("Plans", [])
    return used


# Each index by name, and the query it serves.
QUESTIONS = {
    # A code; overdue pending invitations; the invitations of one inviter in a day; those that expire next.
    "invitation_code_idx": "SELECT * FROM community_invitations WHERE invitation_code = '23456789ABCDEFGH'",
    "invitation_status_idx": "SELECT count(*) FROM community_invitations WHERE status = 'pending'",
    "invitation_created_by_idx": """
        SELECT count(*) FROM community_invitations
        WHERE created_by = '#25' AND created_at > now() - interval '1 day'""",
    "invitation_expires_at_idx": """
        SELECT * FROM community_invitations WHERE expires_at > now() AND expires_at <= now() + interval '1 hour'""",
    "invitations_newest": "SELECT * FROM community_invitations ORDER BY created_at DESC, invitation_id DESC LIMIT 50",
    # One entry by Telegram ID, GitHub name and number.
    "member_telegram_id_idx": "SELECT * FROM community_members WHERE telegram_id = '900000247'",
    "member_github_username_idx": "SELECT * FROM community_members WHERE github_username = 'dev-247'",
    "community_members_person_id_key": "SELECT * FROM community_members WHERE person_id = md5('a')::uuid",
    # Pending entries; the highest scores; investors; the list.
    "member_status_idx": "SELECT count(*) FROM community_members WHERE deleted_at IS NULL AND status = 'pending'",
    "member_reputation_score_idx": """
        SELECT * FROM community_members WHERE reputation_score BETWEEN 2501 AND 2700""",
    "member_primary_role_idx": "SELECT * FROM community_members WHERE primary_role = 'investor'",
    "community_members_newest": "SELECT * FROM community_members ORDER BY created_at DESC, id DESC LIMIT 50",
    # Search by prefix.
    "community_name_prefix": "SELECT * FROM community_members WHERE lower(name) LIKE 'person 3fa%%'",
    "community_telegram_prefix": "SELECT * FROM community_members WHERE lower(telegram_username) LIKE 'person3fa%%'",
    "community_github_prefix": "SELECT * FROM community_members WHERE lower(github_username) LIKE 'dev-3fa%%'",
    "community_org_prefix": "SELECT * FROM community_members WHERE lower(organization) LIKE 'organisation 3fa%%'",
    "community_words": """
        SELECT * FROM community_members
        WHERE search_words(name, organization) @@ to_tsquery('simple', '3fa:*')""",
    "relationship_entity_a_idx": "SELECT * FROM member_relationships WHERE entity_id_a = 'entity 247'",
    "relationship_entity_b_idx": "SELECT * FROM member_relationships WHERE entity_id_b = 'entity 100247'",
    "relationship_type_idx": "SELECT * FROM member_relationships WHERE relationship_type = 'REFERRED'",
    # One member; rare types and platforms; one day; the newest.
    "participation_member_id_idx": "SELECT * FROM member_participation WHERE member_id = '#247'",
    "participation_event_type_idx": "SELECT * FROM member_participation WHERE event_type = 'LEAVE'",
    "participation_platform_idx": "SELECT * FROM member_participation WHERE platform = 'kick'",
    "participation_occurred_at_idx": """
        SELECT * FROM member_participation
        WHERE occurred_at >= current_date - 3 AND occurred_at < current_date - 2""",
    # The heat map of one member; the days of all.
    "highlight_member_date_idx": """
        SELECT * FROM member_daily_highlights WHERE member_id = '#247' AND highlight_date >= current_date - 370""",
    "daily_highlights_newest": """
        SELECT * FROM member_daily_highlights ORDER BY highlight_date DESC, id DESC LIMIT 50""",
}


@pytest.mark.seed("003 AC7", "003 Integration 3")
@pytest.mark.parametrize("index", QUESTIONS)
def test_query_uses_its_index(index):
    assert index in indexes_used(QUESTIONS[index])


def test_newest_participation_uses_time_index():
    query = "SELECT * FROM member_participation ORDER BY occurred_at DESC, id DESC LIMIT 50"
    assert "participation_occurred_at_idx" in indexes_used(query)


def test_number_lookup_uses_index():
    # There are two: that of the unique constraint, and Django's for prefixes.
    (used,) = indexes_used("SELECT * FROM community_members WHERE member_id = '#247'")
    assert used.startswith("community_members_member_id_")


def test_invitation_tree_uses_inviter_index():
    tree = """
        WITH RECURSIVE tree AS (
            SELECT member_id FROM community_members WHERE member_id = '#25'
            UNION ALL SELECT m.member_id FROM tree t JOIN community_members m ON m.invited_by = t.member_id
        ) SELECT * FROM tree"""
    used = indexes_used(tree)
    assert any(name.startswith("community_members_invited_by_") for name in used), used
    assert "Seq Scan" not in used


def test_github_lookup_in_any_case_uses_unique_index():
    query = "SELECT 1 FROM community_members WHERE lower(github_username) = 'dev-247' AND github_verified"
    assert indexes_used(query) & {"community_members_github_once", "community_github_prefix"}


@pytest.mark.seed("003 Integration 3")
def test_query_without_index_scans_table():
    # Negative control: the helper detects a sequential scan.
    assert "Seq Scan" in indexes_used("SELECT * FROM community_members WHERE country = 'Nowhere'")
