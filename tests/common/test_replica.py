"""Reads on a real streaming replica: what goes there, what does not, and under whose rights."""

import time

import pytest
from django.core.checks import run_checks
from django.db import connection, connections, transaction
from django.test import RequestFactory
from django.urls import reverse

from groups.models import Membership
from missionsite.common import metrics, replica
from missionsite.common.roles import member_session
from missionsite.embedded.cluster import free_port
from tests.support.admin import client_of, staff
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MembershipFactory
from tests.support.replica import streaming_replica

# A replica opens only when no transaction with more than 64 savepoints is open, and the tests share such transactions.
# Source: PostgreSQL manual, 26.4.2.
pytestmark = [
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True, databases=["default", replica.REPLICA]),
]


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    """A replica of the tests' server, known to Django while these tests run."""
    with streaming_replica() as found:
        own = connections.settings["default"]
        connections.settings[replica.REPLICA] = own | {"PORT": found.port, "TEST": {"MIRROR": "default"}}
        yield found
        del connections.settings[replica.REPLICA]


@pytest.fixture(autouse=True)
def following(server, transactional_db, monkeypatch):
    """Begin each test without a measured lag, and close its connection."""
    monkeypatch.setattr(replica, "_lag", replica.Lag())
    yield
    connections[replica.REPLICA].close()
    del connections[replica.REPLICA]


def catch_up(server) -> None:
    """Wait until the replica has everything, and this process knows it."""
    server.catch_up()
    ends = time.monotonic() + 60
    while replica.seconds_behind() is None:
        assert time.monotonic() < ends
        # Measured again at once.
        replica._lag = replica.Lag()


def a_request(method: str = "GET", **session: float):
    request = RequestFactory().generic(method, "/")
    request.session = session
    return request


def port() -> int:
    """The port of the server that answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inet_server_port()")
        return cursor.fetchone()[0]


def reads() -> tuple[float, float]:
    """Reads answered by the replica and by the primary until now."""
    return tuple(metrics.READS.labels(name)._value.get() for name in ("replica", "primary"))


PAGES = {
    "search of the directory": lambda: "/directory/?q=Zoraida",
    "search in the back office": lambda: "/admin/groups/communitymember/?q=Zoraida",
    "export of the directory": lambda: "/admin/groups/communitymember/export/",
    "export of a list": lambda: "/admin/groups/member/?_export=csv",
    "plots of the home page": lambda: "/admin/",
    "plots of metrics": lambda: reverse("admin:fallback_metrics"),
    "plots of the community": lambda: reverse("community_health"),
}
LONG = ("export of a list", "plots of metrics", "plots of the community")


@pytest.mark.seed("site reads that allow it go to a replica")
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.long) if each in LONG else each for each in PAGES]
)
def test_page_reads_from_the_replica(server, name):
    member = staff(is_superuser=True, display_name="Zoraida")
    EntryFactory(person=member, name="Zoraida")
    catch_up(server)
    before, answer = reads(), client_of(member).get(PAGES[name]())
    assert answer.status_code == 200
    content = answer.getvalue().decode()
    assert "Zoraida" in content or "plots" in name
    assert reads() == (before[0] + 1, before[1])


@pytest.mark.seed("site reads that allow it go to a replica")
def test_change_is_seen_at_once_by_its_session(server):
    """The control: another session reads from the replica, which replays nothing."""
    browser, other = client_of(staff(is_superuser=True)), client_of(staff(is_superuser=True))
    catch_up(server)
    address = "/admin/groups/communitymember/?q=Zoraida"
    assert "Zoraida Field" not in other.get(address).content.decode()
    with server.paused():
        added = browser.post(
            "/admin/groups/communitymember/add/",
            {"name": "Zoraida Field", "primary_role": "developer", "telegram_id": "7", "add_anyway": "on"},
        )
        assert added.status_code == 302, added.content.decode()[:2000]
        assert "Zoraida Field" in browser.get(address).content.decode()
        before = reads()
        assert "Zoraida Field" not in other.get(address).content.decode()
        assert reads()[0] == before[0] + 1


def test_session_returns_to_the_replica(server):
    catch_up(server)
    now = time.time()
    assert replica.read(a_request(changed_at=now), port) == connection.settings_dict["PORT"]
    assert replica.read(a_request(changed_at=now - replica.sticky_seconds()), port) == server.port


@pytest.mark.parametrize("case", ["post", "no session", "no request"])
def test_read_without_a_session_goes_to_the_primary(server, case):
    catch_up(server)
    request = {"post": a_request("POST"), "no session": RequestFactory().get("/"), "no request": None}[case]
    assert replica.read(request, port) == connection.settings_dict["PORT"]


def test_transaction_that_wrote_stays_on_the_primary(server):
    catch_up(server)
    with transaction.atomic():
        assert replica.read(a_request(), port) == server.port
        EntryFactory()
        assert replica.read(a_request(), port) == connection.settings_dict["PORT"]


@pytest.mark.seed("site reads that allow it go to a replica")
def test_row_security_applies_on_the_replica(server, monkeypatch):
    own, _other = MembershipFactory(), MembershipFactory()
    catch_up(server)

    def found() -> tuple[int, set]:
        return port(), set(Membership.objects.values_list("pk", flat=True))

    with transaction.atomic(), member_session(own.member_id):
        assert replica.read(a_request(), found) == (server.port, {own.pk})
        # The control.
        monkeypatch.setattr(replica, "_carried", dict)
        assert replica.read(a_request(), found) == (server.port, {own.pk, _other.pk})


@pytest.mark.seed("site reads that allow it go to a replica")
def test_read_that_fails_is_repeated_on_the_primary(server):
    catch_up(server)
    asked = []

    def read() -> int:
        asked.append(port())
        if asked[-1] == server.port:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return asked[-1]

    primary = connection.settings_dict["PORT"]
    assert replica.read(a_request(), read) == primary
    # It is not asked again at once.
    assert replica.read(a_request(), read) == primary
    assert asked == [server.port, primary, primary]


@pytest.mark.seed("site reads that allow it go to a replica")
def test_replica_that_is_away_is_not_used(server, monkeypatch, client):
    monkeypatch.setitem(connections.settings[replica.REPLICA], "PORT", free_port())
    assert replica.read(a_request(), port) == connection.settings_dict["PORT"]
    assert warnings() == ["does not respond"]
    [check] = [each for each in client.get("/readyz").json()["checks"] if each["name"] == "replica"]
    assert not check["passed"]


@pytest.mark.seed("site reads that allow it go to a replica")
def test_replica_that_lags_is_not_used(server, settings):
    settings.DATABASE_REPLICA_LAG = 0.2
    catch_up(server)
    assert replica.read(a_request(), port) == server.port
    assert warnings() == []
    with server.paused():
        EntryFactory()
        time.sleep(0.3)
        assert replica.read(a_request(), port) == connection.settings_dict["PORT"]
        assert warnings() == ["is more than 0.2 seconds behind"]


def test_primary_is_no_replica(monkeypatch):
    monkeypatch.setitem(connections.settings[replica.REPLICA], "PORT", connection.settings_dict["PORT"])
    before = reads()
    assert replica.read(a_request(), port) == connection.settings_dict["PORT"]
    assert reads() == (before[0], before[1] + 1)
    assert warnings() == ["is no replica: it accepts writes"]


def warnings() -> list[str]:
    """What the system check reports of the replica."""
    found = [each.msg for each in run_checks(databases=["default"]) if each.id == "missionsite.W006"]
    return [each.removeprefix("The replica ").partition(" (")[0].partition(". All")[0] for each in found]


def test_lag_counts_from_the_newest_position_replayed(settings):
    settings.DATABASE_REPLICA_LAG = 5
    lag = replica.Lag()
    assert lag.seconds(lambda: (100, 90), 0) is None
    # Position 100 was that of second 0.
    assert lag.seconds(lambda: (200, 150), 2) == 2
    # Not measured again within a second, but older.
    assert lag.seconds(lambda: (0, 0), 2.5) == 2.5
    assert lag.seconds(lambda: (300, 300), 4) == 0
    # A replica that has lost its primary falls behind even if nothing is written.
    assert lag.seconds(lambda: (400, 300), 6) == 2
    assert lag.seconds(lambda: None, 8) is None
    # Left alone for a while.
    assert lag.seconds(lambda: (400, 400), 18) is None
    assert lag.seconds(lambda: (400, 400), 19) == 0
