"""The job of the proof: one row for each key, written unless it is there, by a transaction that takes a second.

Two runs of a job at the same time would both write it. The fence rejects the first one when a second one may run.
"""

import os
import time
import uuid

from procrastinate.contrib.django import app

from missionsite.common.worker import fence, watchdog

if os.environ.get("WITHOUT_FENCING"):
    # The negative control: neither the connections of a lost worker are ended, nor are its commits rejected.
    fence.check = lambda connection: None
    watchdog._terminate_connections = lambda cursor, tag: True


@app.task(name="failover.effect")
def effect(key: str) -> None:
    from django.db import transaction

    from missionsite.common.models import Heartbeat

    with transaction.atomic():
        if not Heartbeat.objects.filter(name__startswith=f"effect-{key}-").exists():
            time.sleep(1)
            Heartbeat.objects.create(name=f"effect-{key}-{uuid.uuid4().hex[:8]}")
