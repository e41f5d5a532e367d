"""Indexes of the seed: columns and conditions."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

ASKED_FOR = {
    ("user_engagement_states", "(state)", ""),
    ("user_engagement_states", "(last_activity_at)", ""),
    ("user_engagement_states", "(goodbye_expires_at)", "(goodbye_expires_at IS NOT NULL)"),
    ("user_engagement_states", "(remind_at)", "(remind_at IS NOT NULL)"),
    ("engagement_state_transitions", "(user_id)", ""),
    ("engagement_state_transitions", "(created_at)", ""),
    ("engagement_message_queue", "(status)", "(status = 'pending'::text)"),
    # The index of claims has the ID as its second column.
    ("engagement_message_queue", "(scheduled_for, id)", "(status = 'pending'::text)"),
}


def there() -> set[tuple[str, str, str]]:
    """Return table, columns and condition of every index of the three tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT tablename, substring(indexdef FROM 'USING btree (\\([^)]*\\))'),
                      coalesce(substring(indexdef FROM ' WHERE (.*)$'), '')
               FROM pg_indexes WHERE tablename = ANY (%s)""",
            [sorted({table for table, _columns, _rows in ASKED_FOR})],
        )
        return set(cursor.fetchall())


@pytest.mark.seed(
    "002 AC-6",
    "002 Subtask 2.4",
    "002 Subtask 2.5",
    "002 Subtask 2.6",
    "002 Subtask 2.7",
    "002 Subtask 3.2",
    "002 Subtask 3.3",
    "002 Subtask 4.6",
    "002 Subtask 4.7",
    "002 Subtask 7.3",
    "002 Note 9",
    "002 Note 10",
)
def test_every_index_of_the_seed_exists():
    assert there() >= ASKED_FOR


@pytest.mark.parametrize(
    "wrong",
    [
        ("user_engagement_states", "(remind_at)", ""),
        ("user_engagement_states", "(goodbye_sent_at)", ""),
        ("engagement_message_queue", "(status)", ""),
    ],
)
def test_control_index_on_other_columns_does_not_count(wrong):
    """Negative control: a full index instead of a partial one, or another column, does not pass."""
    assert wrong not in there()
