"""Background workers: a supervisor, the worker processes it keeps alive, and the watchdog over all of them.

supervisor.py  `manage.py worker`: starts worker processes, replaces those that died or stopped sending heartbeats
process.py     one worker process: procrastinate's worker, with a heartbeat to its supervisor
watchdog.py    ends the database connections of lost workers on any machine, then returns their jobs to the queue
fence.py       lets a transaction of a job commit only while its worker is registered
retries.py     tries failed jobs again, a few times
health.py      the state of the queue and its workers, shown by `manage.py health`
"""

from datetime import timedelta

# A worker without a heartbeat for this long is lost. Heartbeats are at least three times as frequent.
STALE_AFTER = timedelta(seconds=30)
