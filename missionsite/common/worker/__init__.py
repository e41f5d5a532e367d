"""Background workers: a supervisor, the worker processes it keeps alive, and the watchdog over all of them.

supervisor.py  `manage.py worker`: starts worker processes, replaces one that died or whose beat stopped
process.py     one worker process: procrastinate's worker, with a beat to its supervisor
watchdog.py    cuts off lost workers anywhere, and only then gives their jobs back to the queue
health.py      what `manage.py health` says
"""

from datetime import timedelta

# A worker silent for this long is lost. Its heartbeat is written three times as often, at least.
STALE_AFTER = timedelta(seconds=30)
