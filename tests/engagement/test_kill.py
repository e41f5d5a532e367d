"""Senders that are killed lose nothing, and a gateway that honours keys takes nothing twice."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.engagement.fleet import LEASE, fleet

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def places(tmp_path):
    """The database of the tests as the site and its senders connect to it."""
    own = connection.settings_dict
    owner = settings.DATABASE_OWNER
    host = own["HOST"].replace("/", "%2F")
    secret = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    return {
        "database": psycopg.conninfo.make_conninfo(
            host=owner["HOST"], port=owner["PORT"], user=owner["USER"], password=owner["PASSWORD"], dbname=own["NAME"]
        ),
        "environment": {
            "DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{own['PORT']}/{own['NAME']}",
            "SECRET_KEY": settings.SECRET_KEY,
        },
        "log": tmp_path / "senders.log",
    }


def test_killed_senders_lose_nothing_and_send_nothing_twice(places):
    with fleet(**places) as senders:
        outcome = senders.run(messages=400, kills=25, patience=60)
    assert (outcome.sent, outcome.lost, outcome.accepted_twice) == (400, 0, 0)
    # Nothing is left with a dead sender for two leases.
    assert outcome.overdue < LEASE
    assert outcome.killed >= 20
    assert {"before", "taken", "answered"} <= outcome.kills.keys()
    # Those that had been taken when the sender was killed went out again, with the same key.
    assert outcome.repeats > 0


def test_telling_the_queue_first_loses_messages(places):
    """The negative control."""
    with fleet(**places, KEEPER_ACKNOWLEDGE_FIRST="1") as senders:
        outcome = senders.run(messages=200, kills=15, patience=60)
    assert outcome.lost > 0
