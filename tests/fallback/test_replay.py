"""The order of templates by a decaying acceptance score, and its replay on the runs of the past."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fallback.models import Mission, MissionFallbackItem, MissionFallbackRun
from fallback.rules import SCORE_HALF_LIFE
from fallback.selectors.planning import plan_run
from fallback.selectors.replay import Decision, replay, scores
from fallback.services.configs import order_by_score
from groups.models import Member
from tests.support.admin import client_of, page_text
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    ProjectMemberFactory,
    RunFactory,
    TemplateFactory,
    accept_as_rows,
    discard_as_rows,
)
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def config():
    return ConfigFactory(backlog_threshold=1)


@pytest.fixture
def templates(config):
    """One that was always accepted, and one that was always discarded."""
    made = [TemplateFactory(project=config.project, name=name) for name in ("Good", "Bad")]
    type(made[0]).objects.filter(project=config.project).update(created_at=NOW - timedelta(days=100))
    for days in range(30, 0, -1):
        run = RunFactory(project=config.project, triggered_by="automatic")
        template = made[days % 2]
        at = NOW - timedelta(days=days)
        item = ItemFactory(run=run, template=template)
        MissionFallbackRun.objects.filter(pk=run.pk).update(started_at=at)
        if template is made[0]:
            accept_as_rows(item, at=at + timedelta(hours=1))
        else:
            discard_as_rows(item)
        MissionFallbackItem.objects.filter(pk=item.pk).update(created_at=at, reviewed_at=at + timedelta(hours=1))
    return made


def test_score_decays_by_half():
    old, new = NOW - SCORE_HALF_LIFE, NOW - timedelta(seconds=1)
    found = scores(
        [Decision("a", True, new), Decision("b", True, old), Decision("c", False, new), Decision("d", True, NOW)], NOW
    )
    assert {key: round(value, 3) for key, value in found.items()} == {"a": 0.667, "b": 0.6, "c": 0.333}


@pytest.mark.seed("004 Library")
def test_replay_shows_what_the_score_would_have_proposed(config, templates):
    good, bad = templates
    found = replay(config.project, NOW)
    assert len(found.runs) == 30
    # Once a decision is known, the score chooses only the accepted one.
    assert {each.chosen[0] for each in found.runs[:-3]} == {good}
    assert (found.accepted, found.decided) == (15, 30)
    assert found.kept_accepted == 15
    assert found.kept_decided < 18
    assert found.changed == 30 - found.kept_decided
    assert {template for each in found.runs for template in each.dropped} <= {bad, good}


@pytest.mark.seed("004 Library")
def test_order_by_score_is_switched_on_per_project(config, templates):
    good, bad = templates
    MissionFallbackItem.objects.update(rest_until=None)
    Mission.objects.update(list="done")
    reviewer = ProjectMemberFactory(project=config.project, role="reviewer", member=StaffFactory()).member
    maintainer = ProjectMemberFactory(project=config.project, role="maintainer", member=StaffFactory()).member
    # By turn, the one that was not used for longest comes first.
    assert plan_run(config.project).picks == [good]
    MissionFallbackItem.objects.filter(template=good).update(created_at=NOW - timedelta(minutes=1))
    assert plan_run(config.project).picks == [bad]
    on = reverse("admin:fallback_missionfallbackconfig_order-by-score", args=[config.pk])
    client_of(reviewer).post(on)
    assert plan_run(config.project).picks == [bad]
    assert client_of(maintainer).post(on).status_code == 302
    assert plan_run(config.project).picks == [good]
    page = page_text(client_of(reviewer).get(reverse("admin:fallback_missionfallbackconfig_replay", args=[config.pk])))
    for text in ("Replay of the last 180 days", "50 %", "100 %", "By score instead:", "are ordered by score"):
        assert text in page, text
    config.refresh_from_db()
    order_by_score(actor=Member.objects.system(), config=config, enabled=False)
    assert plan_run(config.project).picks == [bad]
