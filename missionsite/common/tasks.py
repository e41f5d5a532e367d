"""Regular background work of the whole site. Every task may run twice without harm."""

from datetime import timedelta

from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from missionsite.common import documents
from missionsite.common.api.idempotency import prune_keys
from missionsite.common.api.limits import prune_counts
from missionsite.common.models import Heartbeat
from missionsite.common.worker.watchdog import replace_lost_workers

# Finished jobs are kept a week, failed ones a month: someone has to look at them.
FINISHED_KEPT_HOURS = 7 * 24
FAILED_KEPT_HOURS = 30 * 24
# No write takes as long as this.
UNFINISHED_KEPT = timedelta(hours=24)
# The watchdog goes before everything else that waits.
URGENT = 100


@app.periodic(cron="* * * * *")
@app.task(name="health", queueing_lock="health", pass_context=True)
def health(context: JobContext, timestamp: int) -> None:
    """Note that regular jobs run to their end; `manage.py health` and the operations page show when."""
    Heartbeat.objects.update_or_create(
        name="health", defaults={"beat_at": timezone.now(), "worker": context.worker_name or ""}
    )


@app.periodic(cron="* * * * *")
@app.task(name="watchdog", queueing_lock="watchdog", priority=URGENT)
def watchdog(timestamp: int) -> None:
    """Cut off lost workers, then queue their jobs again."""
    replace_lost_workers()


@app.periodic(cron="*/10 * * * *")
@app.task(name="prune_request_counts", queueing_lock="prune_request_counts")
def prune_request_counts(timestamp: int) -> None:
    """Forget the request counts of callers who have been quiet."""
    prune_counts()


@app.periodic(cron="15 * * * *")
@app.task(name="prune_idempotency_keys", queueing_lock="prune_idempotency_keys")
def prune_idempotency_keys(timestamp: int) -> int:
    """Forget the answers of API requests and forms that are a day old; returns how many."""
    return prune_keys()


@app.periodic(cron="40 3 * * *")
@app.task(name="tidy_documents", queueing_lock="tidy_documents")
def tidy_documents(timestamp: int) -> int:
    """Remove temporary files of writes that a crash cut short; returns how many."""
    return documents.tidy(older_than=UNFINISHED_KEPT)


@app.periodic(cron="20 3 * * *")
@app.task(name="prune_jobs", queueing_lock="prune_jobs", pass_context=True)
async def prune_jobs(context: JobContext, timestamp: int) -> None:
    """Remove jobs that ended long ago."""
    manager = context.app.job_manager
    await manager.delete_old_jobs(nb_hours=FINISHED_KEPT_HOURS, include_cancelled=True)
    await manager.delete_old_jobs(nb_hours=FAILED_KEPT_HOURS, include_failed=True, include_aborted=True)
