"""Periodic tasks of the site as a whole. Every task is idempotent."""

from procrastinate.contrib.django import app

from missionsite import figures
from missionsite.erasures import record_missing


@app.periodic(cron="35 * * * *")
@app.task(name="record_erasures", queueing_lock="record_erasures")
def record_erasures(timestamp: int) -> int:
    """Record erasures outside of the database that could not be recorded when they happened. Returns their number."""
    return record_missing()


@app.periodic(cron="5 * * * *")
@app.task(name="refresh_figures", queueing_lock="refresh_figures", lock="refresh_figures")
def refresh_figures(timestamp: int) -> None:
    """Store the figures of today for the plots of the home page."""
    figures.refresh_figures()
