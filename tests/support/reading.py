"""How many rows the statements of a page read, by EXPLAIN (ANALYZE, BUFFERS) on the rows of a test."""

import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from missionsite.common.admin.pagination import COUNT_LIMIT

MOST_TIMES = 20
# A page that shows a few rows may read as many as one that is full.
FULL = 50


def plan_of(sql: str) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}".replace("%", "%%"), [])
        [(plan,)] = cursor.fetchall()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def rows_read(plan: dict) -> int:
    """The rows that the scans of a plan returned or removed."""
    nodes, read = [plan], 0
    while nodes:
        node = nodes.pop()
        below = node.get("Plans", [])
        nodes += below
        if "Scan" in node["Node Type"] and not any("Scan" in each["Node Type"] for each in below):
            removed = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
            read += round((node["Actual Rows"] + removed) * node["Actual Loops"])
    return read


def excess(client, path: str) -> list[tuple[int, str]]:
    """The statements of a page that read more than MOST_TIMES the rows they return, and the number they read.

    A count ends at COUNT_LIMIT and reads at most that many.
    """
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    found = []
    for sql in (query["sql"] for query in queries):
        if not sql.startswith(("SELECT", "WITH")):
            continue
        plan = plan_of(sql)
        read, shown = rows_read(plan), round(plan["Actual Rows"])
        limit = COUNT_LIMIT + FULL if sql.startswith("SELECT COUNT(*) FROM (") else MOST_TIMES * max(shown, FULL)
        if read > limit:
            found.append((read, sql))
    return found
