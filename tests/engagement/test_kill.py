"""Killed senders lose no message, and a gateway with idempotency keys accepts none twice."""

import pytest

from tests.engagement.sender_processes import LEASE, database_arguments, run_senders
from tests.support.sample import asks_all

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES, KILLS = (400, 25) if asks_all() else (160, 10)


@pytest.fixture
def places(tmp_path):
    return database_arguments() | {"log": tmp_path / "senders.log"}


@pytest.mark.seed("002 Note 6", "002 a killed sender loses nothing and sends nothing twice")
def test_killed_senders_lose_and_repeat_nothing(places):
    with run_senders(**places) as senders:
        outcome = senders.run(messages=MESSAGES, kills=KILLS, patience=300)
    assert (outcome.sent, outcome.lost, outcome.accepted_twice) == (MESSAGES, 0, 0)
    # Claims of a dead sender are reclaimed within two leases.
    assert outcome.overdue < LEASE
    assert outcome.killed >= KILLS * 4 // 5
    assert {"before", "taken", "answered"} <= outcome.kills.keys()
    # Messages accepted when the sender was killed were sent again with the same key.
    assert outcome.repeats > 0


@pytest.mark.long
@pytest.mark.seed("002 a killed sender loses nothing and sends nothing twice")
def test_control_marking_before_sending_loses_messages(places):
    """The negative control."""
    with run_senders(**places, SENDERS_ACKNOWLEDGE_FIRST="1") as senders:
        outcome = senders.run(messages=MESSAGES // 2, kills=KILLS * 3 // 5, patience=300)
    assert outcome.lost > 0
