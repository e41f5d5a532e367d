"""Periodic tasks of the site as a whole. Every task is idempotent."""

from procrastinate.contrib.django import app

from missionsite.erasures import record_missing


@app.periodic(cron="35 * * * *")
@app.task(name="record_erasures", queueing_lock="record_erasures")
def record_erasures(timestamp: int) -> int:
    """Record erasures outside of the database that could not be recorded when they happened. Returns their number."""
    return record_missing()
