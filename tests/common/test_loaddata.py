"""Shifting of dates in the example data."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from engagement.models import EngagementMessage, UserEngagementState, UserProfile
from fallback.models import Project
from groups.models import Member
from missionsite.common.management.commands.loaddata import days_to_shift, shift_dates

pytestmark = pytest.mark.django_db


def test_shift_dates_changes_only_dates():
    day = timedelta(days=1)
    assert shift_dates(datetime(2026, 11, 21, 9, tzinfo=UTC), day) == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert shift_dates("2026-11-21T09:00:00Z", day) == "2026-11-22T09:00:00+00:00"
    assert shift_dates(date(2026, 11, 21), day) == date(2026, 11, 22)
    for kept in ("welcome:2026-11-21", "2026-W47", "2026-11-21", 21, None, True):
        assert shift_dates(kept, day) == kept
    assert shift_dates({"a": ["2026-11-21T09:00:00Z", 1]}, day) == {"a": ["2026-11-22T09:00:00+00:00", 1]}


def test_example_dates_are_shifted_by_whole_days(monkeypatch):
    engagement = apps.get_app_config("engagement")
    moved = 100
    monkeypatch.setattr(engagement, "seeds_written_on", datetime.now(UTC).date() - timedelta(days=moved))
    call_command("loaddata", "seeds", verbosity=0)
    written = datetime(2026, 11, 20, 17, 40, tzinfo=UTC)
    ana = Member.objects.get(member_id="FE-P-00001")
    assert UserEngagementState.objects.get(user=ana).last_activity_at == written + timedelta(days=moved)
    steps = UserProfile.objects.get(user=ana).onboarding_tier_progress["1"]
    assert datetime.fromisoformat(steps["join_mission"]) == datetime(2026, 1, 14, 10, tzinfo=UTC) + timedelta(moved)
    assert Project.objects.get(slug="trust-builder").created_at == datetime(2026, 8, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize("app", ["engagement", "groups"])
def test_no_example_falls_on_the_writing_day(app):
    """Past and future events stay past and future at every hour of the day on which they are loaded."""
    config = apps.get_app_config(app)
    text = (Path(config.path) / "fixtures/seeds.json").read_text(encoding="utf-8")
    assert f'"{config.seeds_written_on}T' not in text


def test_examples_are_not_from_the_future_where_the_clock_is_before_them(monkeypatch):
    """With the clock of years ago; constraints reject rows from the future."""
    ahead = 1000
    for label in ("engagement", "groups", "missiondeck"):
        config = apps.get_app_config(label)
        monkeypatch.setattr(config, "seeds_written_on", datetime.now(UTC).date() + timedelta(days=ahead))
    call_command("loaddata", "seeds", verbosity=0)
    sent = EngagementMessage.objects.get(message_type="announcement", user__member_id="FE-P-00001").sent_at
    assert sent.year in (2023, 2024)


def test_fallback_examples_are_shifted_back_only():
    app = apps.get_app_config("fallback")
    assert days_to_shift(app, app.seeds_end_on + timedelta(days=400)) == 0
    assert days_to_shift(app, app.seeds_end_on - timedelta(days=400)) == -400
    rows = json.loads((Path(app.path) / "fixtures/seeds.json").read_text(encoding="utf-8"))
    times = [row["fields"].get(name) for row in rows for name in ("reviewed_at", "started_at", "completed_at")]
    assert max(filter(None, times)) < app.seeds_end_on.isoformat()


def test_other_fixtures_are_not_shifted(tmp_path):
    person = Member.objects.create(email="ana@example.org", display_name="Ana")
    other = tmp_path / "mine.json"
    other.write_text(
        f'[{{"model": "engagement.userengagementstate", "pk": 7, "fields": {{"user": "{person.pk}", "state": "active",'
        ' "last_activity_at": "2020-01-01T00:00:00Z", "created_at": "2020-01-01T00:00:00Z",'
        ' "updated_at": "2020-01-01T00:00:00Z"}}]',
        encoding="utf-8",
    )
    call_command("loaddata", str(other), verbosity=0)
    assert UserEngagementState.objects.get(pk=7).last_activity_at == datetime(2020, 1, 1, tzinfo=UTC)
