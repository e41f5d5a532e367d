"""The addresses for machines that watch the site, the metrics and the format of the log."""

import json
import logging
import re
import sys

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from groups.services.members import update_member
from missionsite.common import probes
from missionsite.common.audit.sealing import seal_all
from missionsite.common.logs import JsonFormatter
from missionsite.common.models import WorkerProcess
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-monitoring"


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "missionsite.common.documents.LocalDocuments",
            "OPTIONS": {"location": tmp_path / "documents"},
        }
    }
    return tmp_path / "documents"


def ready(client) -> tuple[int, str, dict[str, str]]:
    """The status of /readyz, its summary, and the text of each failed check."""
    answer = client.get("/readyz", headers={"Host": "10.0.0.7"})
    found = answer.json()
    return answer.status_code, found["status"], {c["name"]: c["text"] for c in found["checks"] if not c["passed"]}


def register_worker() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        WorkerProcess.objects.create(tag="w", worker_id=cursor.fetchone()[0], host="h", pid=1, concurrency=1)


@pytest.mark.seed("site addresses for monitoring: alive, ready, metrics")
def test_livez_answers_any_host_without_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/livez", headers={"Host": "10.0.0.7"})
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"ok\n", "no-store")


def test_probes_reject_other_methods(client):
    assert client.post("/livez").status_code == 405


def test_readyz_is_ok_with_a_worker(client):
    register_worker()
    assert ready(client) == (200, "ok", {})


def test_readyz_is_degraded_without_worker(client):
    assert ready(client) == (200, "degraded", {"workers": "0 with a heartbeat"})


def test_readyz_names_unwritable_documents(client, documents):
    register_worker()
    documents.write_text("a file in place of the folder")
    assert ready(client) == (200, "degraded", {"documents": f"{documents} cannot be written: File exists"})


def test_readyz_names_an_old_queue(client):
    register_worker()
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at)
            VALUES ('default', 'health', 'todo', now() - interval '10 minutes')
        """)
    assert ready(client) == (200, "degraded", {"queue": "1 waiting, the oldest for 600 s"})


def test_readyz_fails_without_migrations(client, monkeypatch):
    register_worker()
    monkeypatch.setattr(probes, "_applied", False)
    monkeypatch.setattr(probes, "_missing_migrations", lambda: ["groups.0099_next"])
    assert ready(client) == (503, "unavailable", {"migrations": "missing: groups.0099_next"})


def test_readyz_fails_on_a_read_only_database(client):
    register_worker()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    assert ready(client) == (503, "unavailable", {"database": "is read-only"})


@pytest.mark.seed("site addresses for monitoring: alive, ready, metrics")
def test_readyz_fails_without_database(client, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr(probes, "_database", away)
    assert ready(client) == (503, "unavailable", {"database": "does not respond"})


def test_metrics_need_the_token(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.fixture
def metrics(client, settings):
    """The samples of /metrics, by name and labels."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[str, float]:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    return read


@pytest.mark.seed("site addresses for monitoring: alive, ready, metrics")
def test_metrics_count_requests_by_route(client, metrics):
    name = 'missionsite_http_requests_total{method="GET",route="/login/",status="200"}'
    before = metrics().get(name, 0)
    client.get("/login/?next=/me/")
    client.get("/livez")
    found = metrics()
    assert found[name] == before + 1
    assert found['missionsite_http_request_seconds_bucket{le="+Inf",route="/login/"}'] >= 1
    assert not [each for each in found if "livez" in each or "next" in each]


@pytest.mark.seed("site addresses for monitoring: alive, ready, metrics")
def test_metrics_show_jobs_messages_and_backlogs(metrics):
    register_worker()
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at)
            VALUES ('default', 'health', 'todo', now() - interval '10 minutes'), ('default', 'lost', 'failed', NULL)
        """)
        cursor.execute("""
            WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status)
                         VALUES ('default', 'slow', 'succeeded') RETURNING id)
            INSERT INTO procrastinate_events (job_id, type, at)
            SELECT id, 'started'::procrastinate_job_event_type, now() - interval '40 seconds' FROM job
            UNION ALL SELECT id, 'succeeded', now() - interval '10 seconds' FROM job
        """)
        cursor.execute("INSERT INTO engagement_transports (name, failures, opened_at) VALUES ('email', 5, now())")
    update_member(actor=StaffFactory(is_superuser=True), member=MemberFactory(), trust_score=3)
    assert seal_all()
    found = metrics()
    expected = {
        "missionsite_database_up": 1,
        "missionsite_documents_writable": 1,
        "missionsite_workers": 1,
        'missionsite_jobs{state="waiting"}': 1,
        "missionsite_job_oldest_seconds": 600,
        'missionsite_failed_jobs{task="lost"}': 1,
        'missionsite_job_seconds{quantile="0.5",task="slow"}': 30,
        'missionsite_transport_open{transport="email"}': 1,
        'missionsite_transport_failures{transport="email"}': 5,
        "missionsite_messages_failed": 0,
        "missionsite_backlog_deficit": 0,
        "missionsite_audit_seal_age_seconds": 0,
        "missionsite_audit_unsealed_seconds": 0,
    }
    assert {name: round(found[name]) for name in expected} == expected
    assert found["missionsite_worker_heartbeat_age_seconds"] < 5


def test_metrics_say_that_the_database_is_away(metrics, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr("missionsite.metrics.read_health", away)
    found = metrics()
    assert found["missionsite_database_up"] == 0
    assert "missionsite_workers" not in found


@pytest.fixture
def access_line(client, settings, caplog):
    """The last record of the access log as the JSON formatter writes it."""
    settings.ACCESS_LOG = True
    # Whatever LOG_LEVEL says.
    caplog.set_level(logging.INFO, logger="missionsite.access")
    [handler] = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]

    def read() -> dict:
        record = [each for each in caplog.records if each.name == "missionsite.access"][-1]
        assert all(each.filter(record) for each in handler.filters)
        return json.loads(JsonFormatter().format(record))

    return read


def test_access_log_has_route_status_and_request_id(client, access_line):
    client.get("/login/?next=/me/", headers={"X-Request-ID": "test-request-19"})
    line = access_line()
    assert re.fullmatch(r"200 \d+ ms GET /login/", line["message"])
    assert (line["route"], line["status"], line["address"]) == ("/login/", 200, "127.0.0.1")
    assert {"time", "level", "logger", "request_id", "seconds"} <= line.keys()


def test_access_log_hides_secrets(client, access_line):
    client.get("/join/a-secret-code/")
    assert "a-secret-code" not in json.dumps(access_line())


def test_json_line_has_traceback_and_extra_fields():
    try:
        raise ValueError("a fault")
    except ValueError:
        record = logging.getLogger("site").makeRecord(
            "site", logging.ERROR, __file__, 1, "broken\nline", (), sys.exc_info(), extra={"job": {"id": 7}}
        )
    text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert line["message"] == "broken\nline"
    assert line["job"] == {"id": 7}
    assert line["traceback"].endswith("ValueError: a fault")
    assert abs((timezone.now() - timezone.datetime.fromisoformat(line["time"])).total_seconds()) < 60
