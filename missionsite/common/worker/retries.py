"""Which failed jobs are tried again: those of every task that is not periodic, a few times with growing pauses.

A task with a strategy of its own keeps it; one that decides about some errors only is a subclass of Retries.

A job that failed the last time is listed as failed, where it can be queued again by hand. A periodic job is not tried
again, since the next one is due anyway.
"""

from datetime import timedelta

from django.utils import timezone
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

# Attempts of a job, also of one whose worker died: it would probably kill the next worker too.
MAX_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=2)


class Retries(BaseRetryStrategy):
    """Retries after 2, 8, 32 and 128 seconds."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= MAX_ATTEMPTS:
            return None
        return RetryDecision(retry_at=timezone.now() + FIRST_PAUSE * 4**job.attempts)


def retry_failed_jobs(app: App) -> None:
    """Give these retries to each task that is not periodic and has none. Call it after the tasks are imported."""
    periodic = {name for name, _ in app.periodic_registry.periodic_tasks}
    for name, task in app.tasks.items():
        if name not in periodic and task.retry_strategy is None:
            task.retry_strategy = Retries()
