"""The periodic jobs, which are idempotent."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from groups.tasks import merge_mission_counters
from missionsite.common import tasks
from missionsite.common.models import Heartbeat
from tests.common.jobs import note
from tests.support.factories.groups import MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db


def one(sql: str, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()


def test_health_records_its_last_run():
    context = SimpleNamespace(worker_name="worker-1")
    Heartbeat.objects.create(name="health", reported_at=timezone.now() - timedelta(days=1))
    for _ in range(2):
        tasks.health(context, timestamp=0)
    heartbeat = Heartbeat.objects.get()
    assert timezone.now() - heartbeat.reported_at < timedelta(minutes=1)
    assert heartbeat.worker == "worker-1"


@pytest.mark.parametrize("at_a_time", [1, 2, 10_000])
def test_merge_keeps_counts_and_empties_shards(monkeypatch, at_a_time):
    monkeypatch.setattr("groups.tasks.SLOTS_PER_MERGE", at_a_time)
    for _ in range(3):
        mission = MissionFactory()
        MembershipFactory.create_batch(2, group=mission)
        TaskFactory(group=mission)
    assert merge_mission_counters(timestamp=0) == 3
    assert merge_mission_counters(timestamp=0) == 0
    assert one("SELECT count(*) FROM mission_counter_drift()") == (0,)
    assert one("SELECT sum(member_count), sum(task_count) FROM get_active_missions(gen_random_uuid(), 0)") == (6, 3)


@pytest.mark.django_db(transaction=True)
def test_prune_jobs_deletes_only_old_jobs():
    ended = {}
    for status, days in [("succeeded", 8), ("succeeded", 6), ("failed", 31), ("failed", 29), ("todo", 99)]:
        job = note.defer(report="/dev/null", word="x")
        one("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s RETURNING id", job)
        if status == "todo":
            one("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", job)
        else:
            one("SELECT procrastinate_finish_job_v1(%s, %s::procrastinate_job_status, false)", job, status)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_events SET at = now() - make_interval(days => %s) WHERE job_id = %s", [days, job]
            )
        ended[status, days] = job
    for _ in range(2):
        # Asynchronous; run to its end on the connection of the test.
        async_to_sync(tasks.prune_jobs.func)(SimpleNamespace(app=app), timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE id = ANY(%s)", [list(ended.values())])
        left = {id_ for (id_,) in cursor.fetchall()}
    assert {key for key, job in ended.items() if job in left} == {("succeeded", 6), ("failed", 29), ("todo", 99)}
