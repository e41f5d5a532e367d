"""Regular background work of this app."""

from django.db import connection
from procrastinate.contrib.django import app

FOLDED_AT_A_TIME = 10_000


@app.periodic(cron="*/5 * * * *")
@app.task(name="fold_mission_counters", queueing_lock="fold_mission_counters")
def fold_mission_counters(timestamp: int) -> int:
    """Fold what was counted since the last run into the groups' rows; returns how many slots."""
    folded = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT fold_mission_counters(%s)", [FOLDED_AT_A_TIME])
            batch = cursor.fetchone()[0]
            folded += batch
            if batch < FOLDED_AT_A_TIME:
                return folded
