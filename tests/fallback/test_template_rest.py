"""Templates rest after a discard, have a limit of open missions, and can be scheduled."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from fallback import rules
from fallback.errors import RecordTooWeak, RestInThePast
from fallback.models import MissionFallbackItem, MissionFallbackTemplate
from fallback.models.choices import DiscardReason, Guardrail, ItemStatus, List, Trigger
from fallback.selectors.planning import plan_run
from fallback.selectors.template_states import acceptance_lower_bound, lower_bound, scheduled_templates
from fallback.services.missions import move_mission
from fallback.services.projects import change_in_project
from fallback.services.review import accept_item, discard_item, mark_duplicate, snooze_item, undo_decision
from fallback.services.runs import cancel_run, launch_template, run_due, run_fallback
from groups.models import Member
from missionsite.common.errors import ConstraintViolated
from tests.fallback.proposals import a_project, proposals
from tests.support.admin import client
from tests.support.factories.fallback import MissionFactory, RunFactory, TemplateFactory, accept_as_rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

# A Monday in the past: the database accepts no decisions in the future.
MONDAY = datetime(2021, 3, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def system() -> Member:
    return Member.objects.system()


def run(project, at):
    """A run of the job; None if it made none."""
    return run_fallback(actor=system(), project=project, triggered_by=Trigger.AUTOMATIC, at=at)


def guardrails(entries) -> list[str]:
    return [str(entry["guardrail"] if isinstance(entry, dict) else entry.guardrail) for entry in entries]


# --- Rest -------------------------------------------------------------------------------------


def discard_all(project, rounds: int) -> list[tuple[str, datetime]]:
    """Run, then discard every proposal, once a day. Returns each proposed template with its time."""
    reasons = (DiscardReason.NOT_NEEDED, DiscardReason.UNCLEAR, DiscardReason.WRONG_TIME, DiscardReason.OTHER)
    proposed = []
    for number in range(rounds):
        at = MONDAY + number * DAY
        made = run(project, at)
        for item in made.items.all() if made else ():
            proposed.append((item.template_id, at))
            reason = reasons[len(proposed) % len(reasons)]
            discard_item(actor=system(), item=item, reason=reason, feedback="no", rest_until=at + 20 * DAY, at=at)
    return proposed


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_twelve_rounds_of_discard_all_repeat_no_template():
    project = a_project(backlog_threshold=3)
    TemplateFactory.create_batch(7, project=project, max_open=1, edited_at=MONDAY - DAY)
    proposed = discard_all(project, rounds=12)
    templates = [template for template, _at in proposed]
    assert len(templates) == len(set(templates)) == 7, "each is proposed once, then all rest"
    latest = project.fallback_runs.order_by("-started_at").first()
    assert set(guardrails(latest.skipped)) == {"template_rests"}
    assert {entry["name"] for entry in latest.skipped} == {t.name for t in project.fallback_templates.all()}


def test_control_without_rest_templates_are_repeated(monkeypatch):
    monkeypatch.setattr(rules, "REST_UNTIL_EDITED", ("none",))
    monkeypatch.setattr("fallback.services.review._rest_until", lambda reason, until, at: at)
    project = a_project(backlog_threshold=3)
    TemplateFactory.create_batch(7, project=project, max_open=1)
    assert len(discard_all(project, rounds=12)) == 36


@pytest.mark.parametrize(
    ("reason", "values", "rest"),
    [
        (DiscardReason.NOT_NEEDED, {}, 14 * DAY),
        (DiscardReason.OTHER, {"feedback": "see above"}, 14 * DAY),
        (None, {"feedback": "see above"}, 14 * DAY),
        (DiscardReason.WRONG_TIME, {"rest_until": MONDAY + 30 * DAY}, 30 * DAY),
    ],
)
def test_discard_lets_template_rest_by_reason(reason, values, rest):
    project = a_project(templates=1, backlog_threshold=1)
    (item,) = run(project, MONDAY).items.all()
    discard_item(actor=system(), item=item, reason=reason, at=MONDAY, **values)
    before = plan_run(project, at=MONDAY + rest - timedelta(seconds=1))
    assert (before.picks, guardrails(before.skipped)) == ([], ["template_rests"])
    assert before.skipped[0].resets_at == MONDAY + rest
    assert len(plan_run(project, at=MONDAY + rest).picks) == 1


@pytest.mark.parametrize("reason", rules.REST_UNTIL_EDITED)
def test_bad_proposal_rests_until_template_is_edited(reason):
    project = a_project(templates=1, backlog_threshold=1)
    (item,) = run(project, timezone.now()).items.all()
    discard_item(actor=system(), item=item, reason=reason)
    plan = plan_run(project, at=timezone.now() + 900 * DAY)
    assert (plan.picks, guardrails(plan.skipped), plan.skipped[0].resets_at) == ([], ["template_rests"], None)
    change_in_project(actor=system(), instance=item.template, changes={"priority": 5, "enabled": True})
    assert plan_run(project).picks == [], "its content is the same"
    change_in_project(actor=system(), instance=item.template, changes={"description": "Smaller."})
    assert len(plan_run(project).picks) == 1


def test_undone_discard_ends_rest():
    project = a_project(templates=1, backlog_threshold=2)
    reviewer = MemberFactory()
    (item, _other) = run(project, timezone.now()).items.all()
    discard_item(actor=reviewer, item=item, reason=DiscardReason.NOT_NEEDED)
    assert plan_run(project).picks == []
    undo_decision(actor=reviewer, item=item)
    item.refresh_from_db()
    assert item.rest_until is None
    project.fallback_config.backlog_threshold = 3
    project.fallback_config.save()
    assert len(plan_run(project).picks) == 1


def test_cancelled_run_rests_for_a_day():
    project = a_project(templates=1, backlog_threshold=1)
    cancel_run(actor=system(), run=run(project, timezone.now()))
    assert plan_run(project).picks == []
    assert len(plan_run(project, at=timezone.now() + DAY).picks) == 1


def test_wrong_time_needs_a_date_in_the_future():
    (item,) = run(a_project(templates=1, backlog_threshold=1), MONDAY).items.all()
    with pytest.raises(ConstraintViolated, match="Enter the date"):
        discard_item(actor=system(), item=item, reason=DiscardReason.WRONG_TIME)
    with pytest.raises(RestInThePast):
        discard_item(actor=system(), item=item, reason=DiscardReason.WRONG_TIME, rest_until=MONDAY, at=MONDAY)
    with pytest.raises(IntegrityError, match="mission_fallback_items_wrong_time_has_end"), transaction.atomic():
        MissionFallbackItem.objects.filter(pk=item.pk).update(
            status=ItemStatus.DISCARDED, reason=DiscardReason.WRONG_TIME, reviewed_at=MONDAY
        )


# --- Open at a time ---------------------------------------------------------------------------


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_template_has_one_open_proposal_or_mission():
    project = a_project()
    template = TemplateFactory(project=project, max_open=1)
    made = run(project, MONDAY)
    assert (made.generated_count, guardrails(made.skipped)) == (1, ["max_open"])
    assert run(project, MONDAY + DAY).generated_count == 0
    mission = accept_item(actor=system(), item=made.items.get(), at=MONDAY)
    for step in (List.TODO, List.DOING, List.REVIEW):
        move_mission(actor=system(), mission=mission, to=step)
        plan = plan_run(project, at=MONDAY + DAY)
        assert (plan.picks, guardrails(plan.skipped)) == ([], ["max_open"])
    move_mission(actor=system(), mission=mission, to=List.DONE)
    assert plan_run(project, at=MONDAY + DAY).picks == [template]
    MissionFallbackTemplate.objects.update(max_open=3)
    assert plan_run(project, at=MONDAY + DAY).picks == [template] * 3


def test_max_open_has_limits():
    template = TemplateFactory()
    for number in (0, 101):
        with pytest.raises(IntegrityError, match="mission_fallback_templates_max_open_in_range"), transaction.atomic():
            MissionFallbackTemplate.objects.filter(pk=template.pk).update(max_open=number)


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_duplicate_takes_a_place_until_mission_leaves_todo():
    project = a_project(templates=3, backlog_threshold=2)
    mission = MissionFactory(project=project, ready=False)
    first, second = run(project, MONDAY).items.all()
    mark_duplicate(actor=system(), item=first, mission=mission)
    plan = plan_run(project, at=MONDAY + DAY)
    assert (plan.deficit, plan.picks, guardrails(plan.skipped)) == (0, [], ["duplicate_open"])
    mark_duplicate(actor=system(), item=second, mission=mission)
    plan = plan_run(project, at=MONDAY + DAY)
    assert (plan.deficit, len(plan.picks)) == (1, 1), "one mission takes one place"
    move_mission(actor=system(), mission=mission, to=List.DOING)
    assert plan_run(project, at=MONDAY + DAY).deficit == 2


def test_snoozed_proposal_takes_a_place_and_is_shown():
    project = a_project(templates=3, backlog_threshold=2)
    item = run(project, timezone.now()).items.first()
    until = timezone.now() + DAY
    snooze_item(actor=system(), item=item, until=until)
    project.fallback_config.backlog_threshold = 3
    project.fallback_config.save()
    plan = plan_run(project)
    assert (plan.deficit, len(plan.picks)) == (1, 1)
    assert [(entry.guardrail, entry.resets_at) for entry in plan.skipped] == [(Guardrail.SNOOZED, until)]


# --- Launching by hand ------------------------------------------------------------------------


def test_launch_ignores_rest_and_open_missions_with_warning():
    project = a_project(backlog_threshold=1)
    template = TemplateFactory(project=project, max_open=1)
    (item,) = run(project, timezone.now()).items.all()
    discard_item(actor=system(), item=item, reason=DiscardReason.NOT_NEEDED)
    launched = launch_template(actor=system(), template=template)
    assert guardrails(launched.fallback_item.run.skipped) == ["template_rests"]
    again = launch_template(actor=system(), template=template).fallback_item.run
    assert guardrails(again.skipped) == ["template_rests", "max_open"]
    assert {entry["ignored"] for entry in again.skipped} == {True}


def test_board_shows_rest_and_launch_warns():
    browser = client("Fallback Reviewer")
    project = a_project(backlog_threshold=1)
    template = TemplateFactory(project=project, max_open=1)
    (item,) = run(project, timezone.now()).items.all()
    discard_item(actor=system(), item=item, reason=DiscardReason.UNCLEAR)
    board = browser.get(reverse("admin:fallback_board", args=[project.pk])).content.decode()
    assert "rests until it is edited" in board
    launch = reverse("admin:fallback_template_launch_now", args=[template.pk])
    answer = browser.post(launch, headers={"Accept": "application/json"}).json()
    assert answer["message"].endswith("Rests after a discard: Ignored, because it was launched by hand.")
    page = browser.get(reverse("admin:fallback_missionfallbacktemplate_change", args=[template.pk]))
    assert "rests until it is edited" in page.content.decode()


def test_review_page_discards_with_date():
    browser = client("Fallback Reviewer")
    (item,) = run(a_project(templates=1, backlog_threshold=1), timezone.now()).items.all()
    discard = reverse("admin:fallback_item_discard", args=[item.pk])
    headers = {"Accept": "application/json"}
    missing = browser.post(discard, {"reason": "wrong_time"}, headers=headers)
    assert (missing.status_code, missing.json()["field"]) == (422, "rest_until")
    day = timezone.localdate() + 40 * DAY
    assert browser.post(discard, {"reason": "wrong_time", "rest_until": day}, headers=headers).status_code == 200
    item.refresh_from_db()
    assert timezone.localtime(item.rest_until).date() == day


# --- Schedules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "day", "due"),
    [
        ("weekly", 1, ["2021-02-01", "2021-02-08", "2021-02-15", "2021-02-22"]),
        ("monthly", 15, ["2021-02-15"]),
        ("monthly", 31, ["2021-02-28"]),
    ],
)
def test_scheduled_template_is_due_on_its_day(schedule, day, due):
    project = a_project(zone="Pacific/Auckland")
    TemplateFactory(project=project, schedule=schedule, schedule_day=day)
    # Noon in Auckland.
    days = [datetime(2021, 1, 31, 23, tzinfo=UTC) + number * DAY for number in range(28)]
    found = [(at + timedelta(hours=13)).date().isoformat() for at in days if scheduled_templates(project, at)]
    assert found == due


def test_schedule_makes_one_proposal_a_day_whatever_the_backlog():
    project = a_project(backlog_threshold=1)
    MissionFactory.create_batch(3, project=project)
    TemplateFactory(project=project, name="weekly report", schedule="weekly", schedule_day=1, max_open=2)
    (result,) = run_due(actor=system(), at=MONDAY)
    assert [item.title for item in result.run.items.all()] == ["weekly report"]
    assert list(run_due(actor=system(), at=MONDAY + timedelta(hours=2))) == []
    assert list(run_due(actor=system(), at=MONDAY + DAY)) == []
    assert len(list(run_due(actor=system(), at=MONDAY + 7 * DAY))) == 1
    (skipped,) = run_due(actor=system(), at=MONDAY + 14 * DAY)
    assert (skipped.run.generated_count, guardrails(skipped.run.skipped)) == (0, ["max_open"])
    assert list(run_due(actor=system(), at=MONDAY + 14 * DAY + timedelta(hours=2))) == []


def test_scheduled_template_is_not_used_for_a_low_backlog():
    project = a_project(templates=1, backlog_threshold=2)
    TemplateFactory(project=project, name="weekly report", schedule="weekly", schedule_day=1)
    assert "weekly report" not in [t.name for t in plan_run(project, at=MONDAY + DAY).picks]
    picks = [t.name for t in plan_run(project, at=MONDAY).picks]
    assert (picks[0], len(picks)) == ("weekly report", 2)


def test_schedule_stays_within_weekly_cap():
    project = a_project(backlog_threshold=0, weekly_mission_cap=0)
    TemplateFactory(project=project, schedule="weekly", schedule_day=1)
    plan = plan_run(project, at=MONDAY)
    assert (plan.picks, guardrails(plan.skipped)) == ([], ["weekly_mission_cap"])


@pytest.mark.parametrize(("schedule", "day"), [("weekly", 8), ("weekly", None), ("monthly", 0), ("", 3), ("daily", 1)])
def test_schedule_needs_a_day(schedule, day):
    template = TemplateFactory()
    with pytest.raises(IntegrityError, match="mission_fallback_templates_schedule_has_day"), transaction.atomic():
        MissionFallbackTemplate.objects.filter(pk=template.pk).update(schedule=schedule, schedule_day=day)


# --- Automatic acceptance ---------------------------------------------------------------------


def test_lower_bound_is_wilsons():
    # Values of R: prop.test(x, n, correct = FALSE)$conf.int[1].
    for accepted, decided, expected in [
        (0, 5, 0.0),
        (5, 5, 0.5655),
        (9, 10, 0.5958),
        (16, 16, 0.8064),
        (45, 50, 0.7864),
    ]:
        assert lower_bound(accepted, decided) == pytest.approx(expected, abs=5e-5)
    assert lower_bound(0, 0) == 0


@pytest.mark.deletes("mission_fallback_runs", "mission_fallback_items")
def test_template_is_accepted_automatically_once_record_is_good():
    project = a_project(backlog_threshold=1, weekly_mission_cap=100)
    template = TemplateFactory(project=project)
    with pytest.raises(RecordTooWeak):
        change_in_project(actor=system(), instance=template, changes={"auto_accept": True})
    items = proposals(RunFactory(project=project), [60] * 17)
    MissionFallbackItem.objects.update(reviewed_by=MemberFactory())
    for item in items[:16]:
        accept_as_rows(MissionFallbackItem.objects.get(pk=item.pk), at=MONDAY - 30 * DAY)
    items[16].delete()
    project.missions.update(list=List.DONE)
    assert acceptance_lower_bound(template) == pytest.approx(0.806, abs=1e-3)
    change_in_project(actor=system(), instance=template, changes={"auto_accept": True})
    assert run(project, MONDAY).accepted_count == 1
    assert acceptance_lower_bound(template) == pytest.approx(0.806, abs=1e-3), "acceptances by the job do not count"
    project.missions.update(list=List.DONE)
    (bad,) = proposals(RunFactory(project=project), [60])
    discard_item(actor=MemberFactory(), item=bad, reason=DiscardReason.DUPLICATE)
    assert run(project, MONDAY + 20 * DAY).accepted_count == 0
