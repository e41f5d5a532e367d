"""Concurrent imports, imports beside other changes, and killed imports; with real commits."""

import os
import signal
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from groups.errors import ImportConflict, ImportRunning
from groups.models import CommunityMember, Event, Member
from groups.models.history import MemberHistory
from groups.models.members import SYSTEM_MEMBER_ID
from groups.services import imports
from groups.services.members import create_member, update_member
from tests.groups.import_files import FULL, bring, counts, everything
from tests.support.concurrency import PATIENCE, crowd

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def system(db):
    """Create the system member, who imports unless a test names another actor."""
    return Member.objects.system()


MANY = FULL + "".join(f"p{number}@example.org,P {number},,1{number},,other,,,\n" for number in range(500))


def _people() -> int:
    return Member.objects.exclude(pk=SYSTEM_MEMBER_ID).count()


def elsewhere(act):
    """Run a function on its own connection; returns its result or exception."""
    with crowd(1) as people:
        (result,) = people.run(lambda _number: act())
    return result


def two_imports():
    """Start the second import just before the first commits; returns both results."""
    second = []

    def at_the_end(step: str, lines: int) -> None:
        if step == "done":
            second.append(started_elsewhere(lambda: bring(MANY)))

    first = bring(MANY, progress=at_the_end)
    return first, second[0]()


def started_elsewhere(act):
    """Start a function on its own connection; returns a callable for its result once it ends or waits for a lock."""
    results, over = [], threading.Event()

    def run() -> None:
        try:
            results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()
            over.set()

    thread = threading.Thread(target=run)
    thread.start()
    with connection.cursor() as cursor:
        while not over.wait(0.05):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                break
            cursor.execute("SELECT pg_stat_clear_snapshot()")

    def result():
        thread.join(PATIENCE)
        return results[0]

    return result


def test_second_concurrent_import_is_rejected():
    first, second = two_imports()
    assert counts(first) == (500, 0, 0, 0)
    assert isinstance(second, ImportRunning)
    assert CommunityMember.objects.count() == _people() == 500
    assert counts(bring(MANY)) == (0, 0, 500, 0), "and then finds nothing left to do"
    assert Event.objects.exclude(type="directory.imported").count() == 500


@pytest.mark.long
def test_imports_without_lock_write_no_duplicates(monkeypatch):
    monkeypatch.setattr(imports, "lock_imports", lambda cursor: None)
    first, second = two_imports()
    assert counts(first) == (500, 0, 0, 0)
    assert isinstance(second, ImportConflict)
    assert "Database error: Another member has this" in second.message
    assert CommunityMember.objects.count() == _people() == 500
    assert Event.objects.exclude(type="directory.imported").count() == 500


def test_concurrent_imports_write_file_once():
    with crowd(6) as people:
        results = people.run(lambda _number: bring(MANY))
    reports = [result for result in results if not isinstance(result, Exception)]
    assert sorted(counts(report) for report in reports)[-1] == (500, 0, 0, 0)
    assert {counts(report) for report in reports} <= {(500, 0, 0, 0), (0, 0, 500, 0)}
    assert {type(result) for result in results if isinstance(result, Exception)} <= {ImportRunning}
    assert _people() == 500
    assert MemberHistory.objects.exclude(pgh_obj_id=SYSTEM_MEMBER_ID).count() == 500


def test_member_added_during_import_stops_it():
    def someone_comes(step: str, lines: int) -> None:
        if step == "writing":
            elsewhere(
                lambda: create_member(actor=Member.objects.system(), email="P7@example.org", display_name="Seven")
            )

    with pytest.raises(ImportConflict, match=r"Nothing was written.*Another member has this e-mail"):
        bring(MANY, progress=someone_comes)
    assert _people() == 1
    assert not CommunityMember.objects.exists()


def test_member_changed_during_import_stops_it():
    bring(MANY)
    person = Member.objects.get(email="p7@example.org")

    def someone_edits(step: str, lines: int) -> None:
        if step == "writing":
            elsewhere(lambda: update_member(actor=Member.objects.system(), member=person, trust_score=77))

    with pytest.raises(ImportConflict):
        bring(MANY.replace("P 7,", "P Seven,"), progress=someone_edits)
    person.refresh_from_db()
    assert (person.display_name, person.trust_score) == ("P 7", 77)
    assert counts(bring(MANY.replace("P 7,", "P Seven,"))) == (0, 1, 499, 0)


def test_dry_run_does_not_wait():
    tried = []

    def at_the_end(step: str, lines: int) -> None:
        if step == "done":
            tried.append(elsewhere(lambda: bring(MANY, dry_run=True)))

    bring(MANY, progress=at_the_end)
    assert counts(tried[0]) == (500, 0, 0, 0)


@pytest.mark.parametrize("place", ["checking", "writing", "done"])
def test_killed_import_writes_nothing(place):
    before = everything()
    heard, reached = os.pipe()
    # Two processes cannot share one connection.
    connections.close_all()
    child = os.fork()
    if child == 0:

        def hang(step: str, lines: int) -> None:
            if step == place:
                os.write(reached, b".")
                signal.pause()

        try:
            bring(MANY, progress=hang)
        finally:
            os._exit(1)
    os.close(reached)
    assert os.read(heard, 1) == b"."
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    os.close(heard)
    wait_until_let_go()
    assert everything() == before
    assert counts(bring(MANY)) == (500, 0, 0, 0)


def wait_until_let_go() -> None:
    """The server notices the end of its client by itself: wait until it holds no turn for it any more."""
    until = timezone.now() + timedelta(seconds=PATIENCE)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*), pg_sleep(0.02) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY ()"
            )
            if not cursor.fetchone()[0]:
                return
            assert timezone.now() < until
