"""People who may be the same as one who is about to be added, found by indexes."""

from django.db import connection

from missionsite.common.sql_loader import read_sql

MOST_SHOWN = 5


def find_lookalikes(
    *, name: str = "", email: str = "", telegram_username: str = "", github_username: str = ""
) -> list[str]:
    """Return the numbers and stable IDs of people with this name, mailbox or user name, at most MOST_SHOWN."""
    values: dict[str, str | int] = {
        "name": name,
        "email": email,
        "telegram_username": telegram_username,
        "github_username": github_username,
        "most": MOST_SHOWN,
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("groups/queries/find_lookalikes"), values)
        return [reference for (reference,) in cursor.fetchall()]
