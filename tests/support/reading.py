"""How many rows the statements of a request read, by EXPLAIN (ANALYZE, BUFFERS)."""

import json
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

# A page that shows a few rows may read this many all the same.
FEW = 50
MOST_TIMES = 20


def explain(sql: str) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}".replace("%", "%%"), [])
        [(plan,)] = cursor.fetchall()
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def rows_read(plan: dict) -> int:
    """The rows that the scans of a plan returned or removed."""
    nodes, read = [plan], 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Scan" in node["Node Type"] and not any("Scan" in below["Node Type"] for below in node.get("Plans", [])):
            removed = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
            read += round((node["Actual Rows"] + removed) * node["Actual Loops"])
    return read


def statements_of(request: Callable[[], object]) -> list[str]:
    """The SELECTs of a request."""
    with CaptureQueriesContext(connection) as queries:
        request()
    return [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "WITH"))]


def excess(request: Callable[[], object]) -> list[tuple[int, int, str]]:
    """The statements that read more than MOST_TIMES the rows they return: rows read, rows returned, statement."""
    found = []
    for sql in statements_of(request):
        plan = explain(sql)
        read, shown = rows_read(plan), round(plan["Actual Rows"])
        if read > MOST_TIMES * max(shown, FEW):
            found.append((read, shown, sql))
    return found
