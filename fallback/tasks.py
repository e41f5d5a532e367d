"""Regular background work of this app. Every task may run twice without harm."""

import logging
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from fallback.services.reports import repair_reports
from fallback.services.runs import run_due

logger = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="run_fallback", queueing_lock="run_fallback", lock="run_fallback")
def run_fallback(timestamp: int) -> int:
    """Look at the backlogs that are due, and propose missions where work runs low; returns how many runs it made."""
    made = 0
    for outcome in run_due():
        made += bool(outcome.run)
        if outcome.rejection:
            logger.info("project %s: %s", outcome.project.pk, outcome.rejection.message)
    return made


@app.periodic(cron="*/5 * * * *")
@app.task(name="repair_fallback_reports", queueing_lock="repair_fallback_reports")
def repair_fallback_reports(timestamp: int) -> dict[str, int]:
    """Write reports that a crash has cost in the last two days, and remove what belongs to no run."""
    return repair_reports(since=timezone.now() - timedelta(days=2))


@app.periodic(cron="40 2 * * *")
@app.task(name="reconcile_fallback", queueing_lock="reconcile_fallback")
def reconcile_fallback(timestamp: int) -> int:
    """Prove that every count is that of its rows; raises where one is not, so that the job is seen to fail."""
    repair_reports()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'run ' || run_id FROM drifted_fallback_runs() UNION ALL"
            " SELECT 'mission ' || mission_id FROM drifted_missions()"
        )
        drifted = [row[0] for row in cursor.fetchall()]
    if drifted:
        raise RuntimeError(f"{len(drifted)} counts are not those of their rows: {', '.join(drifted[:20])}")
    return 0
