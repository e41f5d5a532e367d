"""Periodic tasks of this app. Every task is idempotent."""

import logging
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from fallback.selectors.metrics import refresh_metrics
from fallback.services import access, forecasts, retention
from fallback.services.agent_sessions import delete_orphaned_logs, time_out_sessions
from fallback.services.documents import repair_documents
from fallback.services.github_sync import reconcile_github as fetch_from_github
from fallback.services.notification_emails import send_due_emails
from fallback.services.reports import repair_reports
from fallback.services.runs import run_due
from fallback.services.workstations import time_out_workstations
from groups.models import Member
from missionsite.common.audit.context import in_changeset
from missionsite.common.retention import apply_rules

logger = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="run_fallback", queueing_lock="run_fallback", lock="run_fallback")
@in_changeset
def run_fallback(timestamp: int) -> int:
    """Check the due backlogs and propose missions where work runs low. Returns the number of runs."""
    made = 0
    for outcome in run_due(actor=Member.objects.system()):
        made += bool(outcome.run)
        if outcome.rejection:
            logger.info("project %s: %s", outcome.project.pk, outcome.rejection.message)
    return made


@app.periodic(cron="*/5 * * * *")
@app.task(name="repair_fallback_reports", queueing_lock="repair_fallback_reports")
@in_changeset
def repair_fallback_reports(timestamp: int) -> dict[str, int]:
    """Write missing reports of the last two days, and delete reports without a run."""
    return repair_reports(since=timezone.now() - timedelta(days=2))


@app.periodic(cron="*/5 * * * *")
@app.task(name="repair_mission_documents", queueing_lock="repair_mission_documents")
@in_changeset
def repair_mission_documents(timestamp: int) -> dict[str, int]:
    """Write files of documents that were not written after their last save, and delete those of deleted missions."""
    return repair_documents(since=timezone.now() - timedelta(days=2))


@app.periodic(cron="* * * * *")
@app.task(name="time_out_agents", queueing_lock="time_out_agents", lock="time_out_agents")
@in_changeset
def time_out_agents(timestamp: int) -> dict[str, int]:
    """End sessions of agents without heartbeats, and set workstations without them offline. Returns the numbers."""
    actor = Member.objects.system()
    return {"sessions": time_out_sessions(actor=actor), "workstations": time_out_workstations(actor=actor)}


@app.periodic(cron="*/15 * * * *")
@app.task(name="reconcile_github", queueing_lock="reconcile_github", lock="reconcile_github")
@in_changeset
def reconcile_github(timestamp: int) -> dict[str, int]:
    """Fetch from GitHub what its webhook did not deliver. Returns the numbers of fetched and failed repositories."""
    return fetch_from_github(actor=Member.objects.system())


@app.periodic(cron="40 2 * * *")
@app.task(name="reconcile_fallback", queueing_lock="reconcile_fallback")
@in_changeset
def reconcile_fallback(timestamp: int) -> int:
    """Compare all stored counts with their rows. Raises RuntimeError, so that the job fails, if one differs."""
    repair_reports()
    repair_documents()
    delete_orphaned_logs()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'run ' || run_id FROM drifted_fallback_runs() UNION ALL"
            " SELECT 'mission ' || mission_id FROM drifted_missions()"
        )
        drifted = [row[0] for row in cursor.fetchall()]
    if drifted:
        raise RuntimeError(f"{len(drifted)} counts differ from their rows: {', '.join(drifted[:20])}")
    return 0


@app.periodic(cron="*/10 * * * *")
@app.task(name="refresh_fallback_metrics", queueing_lock="refresh_fallback_metrics", lock="refresh_fallback_metrics")
def refresh_fallback_metrics(timestamp: int) -> None:
    """Refresh the materialized views of the metrics."""
    refresh_metrics()


@app.periodic(cron="25 0 * * *")
@app.task(name="store_mission_forecasts", queueing_lock="store_mission_forecasts")
@in_changeset
def store_mission_forecasts(timestamp: int) -> int:
    """Store the forecast of the day of each project, and the outcomes of earlier ones. Returns how many were stored."""
    return forecasts.store_forecasts(actor=Member.objects.system(), at=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="send_notification_emails", queueing_lock="send_notification_emails")
@in_changeset
def send_notification_emails(timestamp: int) -> int:
    """Send the e-mails about notifications that are due. Returns how many were sent."""
    return send_due_emails()


@app.periodic(cron="15 * * * *")
@app.task(name="expire_access_requests", queueing_lock="expire_access_requests")
@in_changeset
def expire_access_requests(timestamp: int) -> int:
    """Expire access requests that were not decided in time. Returns how many."""
    return access.expire_access_requests(actor=Member.objects.system())


@app.periodic(cron="20 3 * * *")
@app.task(name="apply_fallback_retention", queueing_lock="apply_fallback_retention")
@in_changeset
def apply_fallback_retention(timestamp: int) -> dict[str, int]:
    """Delete old runs, archive old notifications, and empty old messages of access requests. Returns the numbers."""
    treated = apply_rules(retention.KINDS, actor=Member.objects.system())
    for kind, number in treated.items():
        logger.info("retention of %s: %s", kind, number)
    return treated
