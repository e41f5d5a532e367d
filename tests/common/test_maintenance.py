"""Maintenance mode: what visitors, programs and probes see meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from missionsite.common import maintenance


@pytest.fixture(autouse=True)
def file(settings, tmp_path):
    settings.MAINTENANCE_FILE = tmp_path / "maintenance"
    return settings.MAINTENANCE_FILE


def test_page_says_when_to_try_again(client):
    """Without the database, which this test may not use."""
    ends_at = maintenance.start(for_=timedelta(minutes=20))
    answer = client.get("/login/")
    assert answer.status_code == 503
    assert 1100 < int(answer["Retry-After"]) <= 1200
    assert f"Try again after {ends_at:%H:%M} UTC" in answer.content.decode()


def test_api_gets_a_problem(client):
    maintenance.start(for_=timedelta(minutes=20))
    answer = client.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "maintenance")
    assert int(answer["Retry-After"]) > 1100


def test_late_maintenance_asks_to_wait(client, file):
    file.write_text((datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    answer = client.get("/login/")
    assert answer["Retry-After"] == "30"
    assert "It takes longer than expected" in answer.content.decode()


def test_empty_file_is_maintenance(client, file):
    file.touch()
    assert client.get("/login/").status_code == 503


@pytest.mark.django_db
def test_probes_answer_during_maintenance(client):
    maintenance.start(for_=timedelta(minutes=20))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["maintenance"]) == (200, True)


@pytest.mark.django_db
def test_command_begins_and_ends_it(client, capsys):
    call_command("maintenance", "on", "--minutes", "5")
    assert client.get("/login/").status_code == 503
    call_command("maintenance", "off")
    assert client.get("/login/").status_code == 200
    assert "Maintenance until" in capsys.readouterr().out
