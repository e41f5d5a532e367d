"""The guardrails in the database, without services."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, transaction

from fallback.models import MissionFallbackItem
from tests.support.database import commit, rejected_by, row, rows
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    RunFactory,
    TemplateFactory,
    accept_as_rows,
    discard_as_rows,
    take_back_as_rows,
)

pytestmark = pytest.mark.django_db
WEEK, MONTH = "fallback_weekly_mission_cap", "fallback_monthly_target_hours"


def items(number: int, **values) -> list[MissionFallbackItem]:
    """Proposals of one run."""
    return ItemFactory.create_batch(number, run=values.pop("run", None) or RunFactory(), **values)


def guarded(run, **guardrails):
    return ConfigFactory(project=run.project, **guardrails)


def used(item) -> dict[str, int]:
    """The used quota of the project: missions of the week, minutes of the month."""
    return dict(
        rows("SELECT period, sum(used)::int FROM mission_fallback_allowances WHERE project_id = %s GROUP BY 1",
             [item.project_id])
    )  # fmt: skip


# --- The week and the month -------------------------------------------------------------------


@pytest.mark.seed("004 accepted missions a week never above the cap")
def test_week_accepts_up_to_its_cap():
    first, second, third = items(3)
    guarded(first.run, weekly_mission_cap=2)
    accept_as_rows(first)
    accept_as_rows(second)
    with rejected_by(WEEK):
        accept_as_rows(third)
    assert used(first) == {"week": 2, "month": 120}


def test_month_accepts_up_to_its_minutes():
    first, second, third = items(3, estimated_effort_minutes=60)
    guarded(first.run, monthly_target_hours=2)
    accept_as_rows(first)
    accept_as_rows(second)
    third.estimated_effort_minutes = 1
    with rejected_by(MONTH):
        accept_as_rows(third)
    assert used(first) == {"week": 2, "month": 120}


@pytest.mark.seed("004 mission_fallback_configs")
def test_project_without_configuration_has_default_quotas():
    some = items(21, estimated_effort_minutes=1)
    for item in some[:20]:
        accept_as_rows(item)
    with rejected_by(WEEK):
        accept_as_rows(some[20])
    with rejected_by(MONTH):
        accept_as_rows(ItemFactory(estimated_effort_minutes=120 * 60 + 1))


def test_cap_of_zero_accepts_nothing():
    item = ItemFactory()
    config = guarded(item.run, weekly_mission_cap=0)
    with rejected_by(WEEK):
        accept_as_rows(item)
    config.weekly_mission_cap, config.monthly_target_hours = 1, 0
    config.save()
    with rejected_by(MONTH):
        accept_as_rows(item)
    assert used(item) == {}


def test_changed_cap_applies_to_next_acceptance():
    first, second, third = items(3)
    config = guarded(first.run, weekly_mission_cap=2)
    accept_as_rows(first)
    config.weekly_mission_cap = 1
    config.save()
    with rejected_by(WEEK):
        accept_as_rows(second)
    config.weekly_mission_cap = 3
    config.save()
    accept_as_rows(second)
    accept_as_rows(third)
    assert used(first)["week"] == 3


def test_statement_over_cap_is_rejected_as_a_whole():
    some = items(3)
    guarded(some[0].run, weekly_mission_cap=2)
    with rejected_by(WEEK):
        for item in some:
            MissionFactory(project=item.project, origin="fallback", fallback_item=item)
        rows(
            """UPDATE mission_fallback_items i SET status = 'accepted', mission_id = m.id
               FROM missions m WHERE m.fallback_item_id = i.id"""
        )
    assert used(some[0]) == {}
    assert row("SELECT accepted_count FROM mission_fallback_runs") == (0,)


def test_insert_as_accepted_is_charged():
    template = TemplateFactory()
    ConfigFactory(project=template.project, weekly_mission_cap=1)
    run = RunFactory(project=template.project)

    def insert():
        with transaction.atomic():
            (item,) = row("SELECT ulid()")
            rows(
                """INSERT INTO missions (id, project_id, title, origin, fallback_item_id)
                   VALUES (%(item)s, %(project)s, 'At once', 'fallback', %(item)s)""",
                {"item": item, "project": template.project_id},
            )
            rows(
                """INSERT INTO mission_fallback_items (id, mission_fallback_run_id, template_id, project_id, title,
                       flow_id, actor_id, repository_id, status, mission_id)
                   SELECT %(item)s, %(run)s, id, project_id, name, flow_id, actor_id, repository_id, 'accepted',
                       %(item)s
                   FROM mission_fallback_templates WHERE id = %(template)s""",
                {"item": item, "run": run.pk, "template": template.pk},
            )

    insert()
    commit()
    with rejected_by(WEEK):
        insert()
    assert row("SELECT generated_count, accepted_count FROM mission_fallback_runs") == (1, 1)


def test_undo_releases_quota():
    first, second = items(2)
    guarded(first.run, weekly_mission_cap=1)
    accept_as_rows(first)
    take_back_as_rows(first)
    assert used(first) == {"week": 0, "month": 0}
    first.refresh_from_db()
    assert (first.counted_week, first.counted_month) == (None, None)
    accept_as_rows(second)
    with rejected_by(WEEK):
        accept_as_rows(first)


def test_undo_releases_quota_of_charged_week():
    item = ItemFactory()
    accept_as_rows(item, at=datetime(2026, 3, 2, tzinfo=UTC))
    rows("UPDATE organizations SET timezone = 'America/Sao_Paulo'")
    rows("UPDATE mission_fallback_items SET reviewed_at = '2026-06-01'")
    take_back_as_rows(item)
    assert set(used(item).values()) == {0}


def test_changed_effort_of_accepted_item_is_charged_again():
    item = ItemFactory(estimated_effort_minutes=60)
    guarded(item.run, monthly_target_hours=2)
    accept_as_rows(item)
    rows("UPDATE mission_fallback_items SET estimated_effort_minutes = 120")
    assert used(item) == {"week": 1, "month": 120}
    with rejected_by(MONTH):
        rows("UPDATE mission_fallback_items SET estimated_effort_minutes = 121")
    assert used(item) == {"week": 1, "month": 120}


@pytest.mark.deletes("mission_fallback_items")
def test_deleting_accepted_item_keeps_charge():
    item = ItemFactory()
    accept_as_rows(item)
    commit()
    rows("DELETE FROM mission_fallback_items")
    assert used(item) == {"week": 1, "month": 60}


@pytest.mark.parametrize(
    ("timezone", "at", "week", "month"),
    [
        # Daylight saving time begins: the week ends an hour earlier in UTC.
        ("Europe/Lisbon", "2026-03-29T22:59:59Z", date(2026, 3, 23), date(2026, 3, 1)),
        ("Europe/Lisbon", "2026-03-29T23:00:00Z", date(2026, 3, 30), date(2026, 3, 1)),
        # Daylight saving time ends.
        ("Europe/Lisbon", "2026-10-25T23:59:59Z", date(2026, 10, 19), date(2026, 10, 1)),
        ("Europe/Lisbon", "2026-10-26T00:00:00Z", date(2026, 10, 26), date(2026, 10, 1)),
        ("Europe/Lisbon", "2026-06-30T22:59:59Z", date(2026, 6, 29), date(2026, 6, 1)),
        ("Europe/Lisbon", "2026-06-30T23:00:00Z", date(2026, 6, 29), date(2026, 7, 1)),
        ("America/Sao_Paulo", "2026-02-01T02:59:59Z", date(2026, 1, 26), date(2026, 1, 1)),
        ("America/Sao_Paulo", "2026-02-01T03:00:00Z", date(2026, 1, 26), date(2026, 2, 1)),
        # Clocks change at midnight: that Sunday has no hour 0.
        ("America/Sao_Paulo", "2018-11-04T02:59:59Z", date(2018, 10, 29), date(2018, 11, 1)),
        ("America/Sao_Paulo", "2018-11-05T01:59:59Z", date(2018, 10, 29), date(2018, 11, 1)),
        ("America/Sao_Paulo", "2018-11-05T02:00:00Z", date(2018, 11, 5), date(2018, 11, 1)),
        ("Pacific/Auckland", "2026-04-05T11:59:59Z", date(2026, 3, 30), date(2026, 4, 1)),
        ("Pacific/Auckland", "2026-04-05T12:00:00Z", date(2026, 4, 6), date(2026, 4, 1)),
        ("Pacific/Auckland", "2026-09-27T10:59:59Z", date(2026, 9, 21), date(2026, 9, 1)),
        ("Pacific/Auckland", "2026-09-27T11:00:00Z", date(2026, 9, 28), date(2026, 9, 1)),
        # The year ends in the middle of an ISO week.
        ("Pacific/Auckland", "2020-12-31T10:59:59Z", date(2020, 12, 28), date(2020, 12, 1)),
        ("Pacific/Auckland", "2020-12-31T11:00:00Z", date(2020, 12, 28), date(2021, 1, 1)),
        ("UTC", "2024-12-29T23:59:59Z", date(2024, 12, 23), date(2024, 12, 1)),
        ("UTC", "2024-12-30T00:00:00Z", date(2024, 12, 30), date(2024, 12, 1)),
        ("UTC", "2025-01-05T23:59:59Z", date(2024, 12, 30), date(2025, 1, 1)),
    ],
)
def test_week_and_month_use_time_zone_of_organization(timezone, at, week, month):
    item = ItemFactory(run__project__organization__timezone=timezone)
    accept_as_rows(item, at=datetime.fromisoformat(at))
    item.refresh_from_db()
    assert (item.counted_week, item.counted_month) == (week, month)
    assert rows("SELECT period, starts_on, used FROM mission_fallback_allowances ORDER BY 1") == [
        ("month", month, 60), ("week", week, 1),
    ]  # fmt: skip


def test_full_week_resets_on_monday():
    first, second = items(2)
    guarded(first.run, weekly_mission_cap=1)
    accept_as_rows(first, at=datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC))
    with rejected_by(WEEK):
        accept_as_rows(second, at=datetime(2026, 5, 31, 23, 59, 59, 999999, tzinfo=UTC))
    accept_as_rows(second, at=datetime(2026, 6, 1, tzinfo=UTC))


# --- Attempts to bypass -----------------------------------------------------------------------


@pytest.mark.seed("004 accepted missions a week never above the cap")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE mission_fallback_allowances SET used = 0",
        "DELETE FROM mission_fallback_allowances",
        "TRUNCATE mission_fallback_allowances",
        """INSERT INTO mission_fallback_allowances (project_id, period, starts_on, allowed)
           VALUES ('nobody', 'week', '2026-01-05', 1)""",
    ],
)
def test_site_cannot_write_allowances(change):
    accept_as_rows(ItemFactory())
    commit()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(change)
    assert rejected.value.__cause__.sqlstate == "42501"


def test_counted_week_of_accepted_item_cannot_be_set():
    item = ItemFactory()
    accept_as_rows(item)
    week = row("SELECT counted_week, counted_month FROM mission_fallback_items")
    rows("UPDATE mission_fallback_items SET counted_week = '2000-01-03', counted_month = NULL")
    assert row("SELECT counted_week, counted_month FROM mission_fallback_items") == week


@pytest.mark.seed("004 accepted missions a week never above the cap")
def test_proposal_is_reopened_only_with_its_mission_deleted():
    item = ItemFactory()
    accept_as_rows(item)
    commit()
    with rejected_by("missions_fallback_was_accepted"):
        rows("UPDATE mission_fallback_items SET status = 'proposed', reviewed_at = NULL, mission_id = NULL")
    with rejected_by("missions_fallback_was_accepted"):
        rows("UPDATE mission_fallback_items SET mission_id = NULL")
    with rejected_by("missions_fallback_was_accepted"):
        discard_as_rows(item)


@pytest.mark.seed("004 items and missions reference each other when accepted")
def test_fallback_mission_needs_accepted_proposal():
    item = ItemFactory()
    with rejected_by("missions_fallback_was_accepted"):
        MissionFactory(origin="fallback")
    with rejected_by("missions_fallback_was_accepted"):
        MissionFactory(project=item.project, origin="fallback", fallback_item=item)
    with rejected_by("missions_fallback_item_fits_origin"):
        MissionFactory(project=item.project, fallback_item=item)


@pytest.mark.seed("004 items and missions reference each other when accepted")
def test_accepted_item_needs_mission_that_links_back():
    item = ItemFactory()
    mission = MissionFactory(project=item.project)
    with rejected_by("missions_fallback_was_accepted"):
        rows("UPDATE mission_fallback_items SET status = 'accepted', mission_id = %s", [mission.pk])


@pytest.mark.seed("004 items and missions reference each other when accepted")
def test_mission_cannot_change_its_proposal():
    accepted, other = items(2)
    mission = accept_as_rows(accepted)
    commit()
    with rejected_by("missions_fallback_was_accepted"):
        rows("UPDATE missions SET fallback_item_id = %s WHERE id = %s", [other.pk, mission.pk])


def test_two_proposals_cannot_share_a_mission():
    first, second = items(2)
    mission = accept_as_rows(first)
    with rejected_by("mission_fallback_items_mission_once"):
        rows("UPDATE mission_fallback_items SET status = 'accepted', mission_id = %s WHERE id = %s",
             [mission.pk, second.pk])  # fmt: skip
