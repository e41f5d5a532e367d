"""Periodic tasks of the whole site. Every task is idempotent."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from missionsite.common import bulk_edits, documents
from missionsite.common.accounts.delays import prune_delays
from missionsite.common.admin.bulk_edit import run_edit
from missionsite.common.api.idempotency import prune_keys
from missionsite.common.api.limits import prune_counts
from missionsite.common.audit.context import in_changeset
from missionsite.common.audit.sealing import publish_digest, seal_all
from missionsite.common.models import BulkEdit, Heartbeat, RetentionRun
from missionsite.common.retention import apply_rules, apply_run
from missionsite.common.worker.retries import Retries
from missionsite.common.worker.watchdog import replace_lost_workers

# Finished jobs are kept for a week, failed ones for a month, since someone must look at them.
FINISHED_KEPT_HOURS = 7 * 24
FAILED_KEPT_HOURS = 30 * 24
# Longer than any write takes.
UNFINISHED_KEPT = timedelta(hours=24)
# The watchdog runs before all other waiting jobs.
URGENT = 100


@app.periodic(cron="* * * * *")
@app.task(name="health", queueing_lock="health", pass_context=True)
def health(context: JobContext, timestamp: int) -> None:
    """Record that periodic jobs run; `manage.py health` shows the time."""
    Heartbeat.objects.update_or_create(
        name="health", defaults={"reported_at": timezone.now(), "worker": context.worker_name or ""}
    )


@app.periodic(cron="* * * * *")
@app.task(name="watchdog", queueing_lock="watchdog", priority=URGENT)
def watchdog(timestamp: int) -> None:
    """Deregister lost workers and requeue their jobs."""
    replace_lost_workers()


@app.periodic(cron="*/10 * * * *")
@app.task(name="prune_request_counts", queueing_lock="prune_request_counts")
def prune_request_counts(timestamp: int) -> None:
    """Delete counts of requests and of wrong passwords that are no longer needed."""
    prune_counts()
    prune_delays()


@app.periodic(cron="15 * * * *")
@app.task(name="prune_idempotency_keys", queueing_lock="prune_idempotency_keys")
def prune_idempotency_keys(timestamp: int) -> int:
    """Delete stored responses to API requests and forms after a day. Returns their number."""
    return prune_keys()


@app.periodic(cron="* * * * *")
@app.task(name="seal_audit", queueing_lock="seal_audit")
def seal_audit(timestamp: int) -> int:
    """Seal the entries of the audit that wait. Returns their number."""
    return seal_all()


@app.periodic(cron="10 0 * * *")
@app.task(name="publish_audit_digest", queueing_lock="publish_audit_digest")
def publish_audit_digest(timestamp: int) -> None:
    """Write or mail the digest of the audit of the day before, as far as the settings say so."""
    publish_digest(datetime.fromtimestamp(timestamp, UTC).date() - timedelta(days=1))


@app.periodic(cron="30 3 * * *")
@app.task(name="apply_audit_retention", queueing_lock="apply_audit_retention")
@in_changeset
def apply_audit_retention(timestamp: int) -> dict[str, int]:
    """Delete entries of the audit, the security log and the logs of bulk edits that are old enough."""
    return apply_rules(["audit", "security", "bulk_edits"], actor=get_user_model()._default_manager.system())


@app.task(name="apply_retention_rule")
@in_changeset
def apply_retention_rule(run: int) -> int:
    """Apply a retention rule that was started by hand. Returns the number of treated rows."""
    return apply_run(RetentionRun.objects.select_related("started_by").get(pk=run))


@app.task(name=bulk_edits.TASK, retry=Retries())
@in_changeset
def run_bulk_edit(edit_id: str) -> str:
    """Edit the rows of a bulk edit, or go on with it; returns how it ended."""
    edit = BulkEdit.objects.select_related("started_by", "undoes").get(pk=edit_id)
    run_edit(edit)
    return edit.status


@app.periodic(cron="40 3 * * *")
@app.task(name="tidy_documents", queueing_lock="tidy_documents")
def tidy_documents(timestamp: int) -> int:
    """Delete temporary files of writes that a crash interrupted. Returns their number."""
    return documents.tidy(older_than=UNFINISHED_KEPT)


@app.periodic(cron="20 3 * * *")
@app.task(name="prune_jobs", queueing_lock="prune_jobs", pass_context=True)
async def prune_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that ended long ago."""
    manager = context.app.job_manager
    await manager.delete_old_jobs(nb_hours=FINISHED_KEPT_HOURS, include_cancelled=True)
    await manager.delete_old_jobs(nb_hours=FAILED_KEPT_HOURS, include_failed=True, include_aborted=True)
