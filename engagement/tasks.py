"""Regular background work of this app. Every task may run twice without harm."""

import time

from procrastinate.contrib.django import app

from engagement.services.sending import Sender
from engagement.services.sweeps import sweep_daily, sweep_weekly
from engagement.transports import make_transport

# The next run comes a minute after this one.
SENDING_SECONDS = 50


@app.periodic(cron="5 * * * *")
@app.task(name="sweep_engagement", queueing_lock="sweep_engagement", lock="sweep_engagement")
def sweep(timestamp: int) -> int:
    """Let the clock move members; every hour, so that no one waits a day for it. Returns how many moved."""
    return sum(step.moved for step in sweep_daily())


@app.periodic(cron="15 * * * *")
@app.task(name="review_weeks", queueing_lock="review_weeks", lock="review_weeks")
def review(timestamp: int) -> int:
    """Queue weekly reviews where it is Monday; every hour, as Monday comes at another hour in each zone."""
    return sum(step.queued for step in sweep_weekly())


@app.periodic(cron="* * * * *")
@app.task(name="send_messages", queueing_lock="send_messages")
def send_messages(timestamp: int) -> int:
    """Send what is due, beside any senders of `manage.py send_messages`; returns how many messages."""
    transport = make_transport()
    try:
        return Sender(transport).drain(until=time.monotonic() + SENDING_SECONDS).sent
    finally:
        transport.close()
