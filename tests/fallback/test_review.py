"""Decisions on proposals: effects, rejections, undo."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from fallback.errors import (
    AlreadyDecided,
    MissionChanged,
    MonthlyHoursReached,
    NotDecided,
    OtherProject,
    ProjectArchived,
    SnoozeInThePast,
    UndoWindowPassed,
    WeeklyCapReached,
)
from fallback.models import (
    CodeAgentSession,
    GithubPullRequest,
    Mission,
    MissionEvent,
    MissionFallbackItem,
    MissionFallbackRun,
    ProjectActivity,
)
from fallback.models.choices import DiscardReason, ItemStatus, List
from fallback.selectors.planning import plan_run
from fallback.services.configs import update_config
from fallback.services.missions import add_dependency, move_mission, set_ready, update_mission
from fallback.services.projects import archive_project
from fallback.services.review import (
    accept_item,
    discard_item,
    mark_duplicate,
    snooze_item,
    undo_decision,
    unsnooze_item,
)
from fallback.services.runs import cancel_run
from groups.models import Member
from missionsite.common.errors import DomainError, NotAllowed, ValueRejected
from tests.fallback.proposals import a_review, proposals, spent
from tests.support.factories.fallback import FlowFactory, MissionFactory, RunFactory, TemplateFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

# A Thursday.
NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
TABLES = (
    "missions",
    "mission_events",
    "project_activity",
    "mission_fallback_items",
    "mission_fallback_runs",
    "mission_fallback_allowances",
)


def everything() -> dict[str, list]:
    """Every row that a decision could write."""
    with connection.cursor() as cursor:
        rows = {}
        for table in TABLES:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
            rows[table] = cursor.fetchall()
    return rows


def fresh(row):
    return type(row).objects.get(pk=row.pk)


# --- Accept -----------------------------------------------------------------------------------


@pytest.mark.seed("004 items record each generated mission")
def test_accept_creates_proposed_mission():
    (item, _other), ana = a_review(2), MemberFactory()
    MissionFactory(project=item.project, list_order=7000)
    mission = fresh(accept_item(actor=ana, item=item, at=NOW))
    item = fresh(item)
    assert (mission.title, mission.description, mission.priority) == (item.title, item.description, item.priority)
    assert (mission.flow, mission.actor, mission.repository) == (item.flow, item.actor, item.repository)
    assert mission.target_branch == item.repository.default_branch
    assert (mission.origin, mission.list, mission.ready, mission.list_order) == ("fallback", "todo", True, 8000)
    assert (mission.fallback_item, item.mission) == (item, mission)
    assert (item.status, item.reviewed_by, item.reviewed_at) == (ItemStatus.ACCEPTED, ana, NOW)
    (event,) = mission.events.all()
    assert (event.type, event.origin, event.actor) == ("mission.created", "fallback", ana)
    assert event.payload == {"list": "todo", "ready": True, "origin": "fallback", "item": item.pk}
    assert item.template.enabled
    assert fresh(item.run).status == "awaiting_review"
    assert spent(item.project) == {("week", "2026-11-16"): 1, ("month", "2026-11-01"): 60}


@pytest.mark.seed("004 review: accept with edits, discard, snooze, duplicate, undo")
def test_accept_applies_edits_before_quota():
    (item,) = a_review(1)
    mission = accept_item(
        actor=Member.objects.system(),
        item=item,
        at=NOW,
        title="Shorter",
        description="Half of it",
        priority=5,
        estimated_effort_minutes=15,
    )
    item = fresh(item)
    assert (mission.title, mission.description, mission.priority) == ("Shorter", "Half of it", 5)
    assert (item.title, item.description, item.priority, item.estimated_effort_minutes) == (
        "Shorter",
        "Half of it",
        5,
        15,
    )
    assert spent(item.project)["month", "2026-11-01"] == 15
    assert item.template.name != "Shorter"


@pytest.mark.parametrize(("stages", "first"), [(["plan", "build"], "plan"), ([], "clarify")])
def test_mission_starts_in_first_stage_of_flow(stages, first):
    template = TemplateFactory()
    template.flow = FlowFactory(project=template.project, stages=stages)
    template.save()
    (item,) = proposals(RunFactory(project=template.project), [60])
    assert accept_item(actor=Member.objects.system(), item=item).stage == first


@pytest.mark.parametrize("edits", [{"title": " "}, {"priority": 9}, {"estimated_effort_minutes": 0}])
def test_invalid_edit_leaves_nothing(edits):
    (item,) = a_review(1)
    before = everything()
    with pytest.raises(ValueRejected):
        accept_item(actor=Member.objects.system(), item=item, **edits)
    assert everything() == before


def test_only_editable_fields_can_be_edited():
    (item,) = a_review(1)
    with pytest.raises(TypeError, match="cannot change project, status"):
        accept_item(actor=Member.objects.system(), item=item, status="accepted", project=None)


@pytest.mark.seed("004 a rejected accept says which guardrail and when it frees up")
@pytest.mark.parametrize(
    ("limits", "rejection", "sentence"),
    [
        (
            {"weekly_mission_cap": 1},
            WeeklyCapReached,
            "The weekly cap of 1 mission is reached. It resets on Monday 23 November 00:00 (Europe/Lisbon).",
        ),
        (
            {"monthly_target_hours": 1},
            MonthlyHoursReached,
            "0 of the 1 hours of this month are left, less than this needs."
            " They reset on Tuesday 1 December 00:00 (Europe/Lisbon).",
        ),
    ],
    ids=["week", "month"],
)
def test_rejection_names_guardrail_and_reset(limits, rejection, sentence):
    items = a_review(2, zone="Europe/Lisbon", **limits)
    accept_item(actor=Member.objects.system(), item=items[0], at=NOW)
    before = everything()
    with pytest.raises(rejection) as rejected:
        accept_item(actor=Member.objects.system(), item=items[1], at=NOW)
    assert rejected.value.message == sentence
    assert rejected.value.resets_at > NOW
    assert everything() == before
    assert accept_item(actor=Member.objects.system(), item=items[1], at=rejected.value.resets_at)


def test_raised_cap_applies_immediately():
    items = a_review(3, weekly_mission_cap=1)
    accept_item(actor=Member.objects.system(), item=items[0], at=NOW)
    update_config(actor=Member.objects.system(), config=items[0].project.fallback_config, weekly_mission_cap=2)
    accept_item(actor=Member.objects.system(), item=items[1], at=NOW)
    with pytest.raises(WeeklyCapReached, match="cap of 2"):
        accept_item(actor=Member.objects.system(), item=items[2], at=NOW)


def test_archived_project_takes_no_mission():
    (item,) = a_review(1)
    archive_project(actor=Member.objects.system(), project=item.project)
    before = everything()
    with pytest.raises(ProjectArchived):
        accept_item(actor=Member.objects.system(), item=item)
    assert everything() == before


# --- Discard ----------------------------------------------------------------------------------


@pytest.mark.seed("004 review: accept with edits, discard, snooze, duplicate, undo")
@pytest.mark.parametrize("why", [{"feedback": " Too vague. "}, {"reason": "too_large"}])
def test_discard_stores_reason(why):
    (item,), ana = a_review(1), MemberFactory()
    discard_item(actor=ana, item=item, at=NOW, **why)
    item = fresh(item)
    assert (item.status, item.reviewed_by, item.reviewed_at, item.mission) == ("discarded", ana, NOW, None)
    assert (item.feedback, item.reason) == (why.get("feedback", "").strip(), why.get("reason"))
    assert spent(item.project) == {}
    assert not item.project.missions.exists()


@pytest.mark.parametrize("why", [{}, {"feedback": "  \n"}, {"reason": ""}, {"reason": "other"}])
def test_discard_without_reason_is_rejected(why):
    (item,) = a_review(1)
    before = everything()
    with pytest.raises(DomainError) as rejected:
        discard_item(actor=Member.objects.system(), item=item, **why)
    assert (rejected.value.code, rejected.value.field) == ("reason_missing", "feedback")
    assert everything() == before


def test_discard_with_unknown_reason_is_rejected():
    (item,) = a_review(1)
    with pytest.raises(ValueRejected):
        discard_item(actor=Member.objects.system(), item=item, reason="bored")


@pytest.mark.seed("004 review: accept with edits, discard, snooze, duplicate, undo")
def test_duplicate_stores_mission():
    (item,) = a_review(1)
    mission = MissionFactory(project=item.project)
    mark_duplicate(actor=Member.objects.system(), item=item, mission=mission, feedback="Same thing")
    item = fresh(item)
    assert (item.status, item.reason, item.duplicate_of) == ("discarded", DiscardReason.DUPLICATE, mission)
    mission.delete()
    assert fresh(item).duplicate_of is None


def test_duplicate_of_another_project_is_rejected():
    (item,), elsewhere = a_review(1), MissionFactory()
    before = everything()
    with pytest.raises(OtherProject, match="same project"):
        mark_duplicate(actor=Member.objects.system(), item=item, mission=elsewhere)
    assert everything() == before


# --- Second decision --------------------------------------------------------------------------

DECISIONS = {
    "accept": lambda item: accept_item(actor=Member.objects.system(), item=item),
    "discard": lambda item: discard_item(actor=Member.objects.system(), item=item, feedback="no"),
    "duplicate": lambda item: mark_duplicate(
        actor=Member.objects.system(), item=item, mission=MissionFactory(project=item.project)
    ),
    "snooze": lambda item: snooze_item(
        actor=Member.objects.system(), item=item, until=timezone.now() + timedelta(hours=1)
    ),
    "unsnooze": lambda item: unsnooze_item(actor=Member.objects.system(), item=item),
}


@pytest.mark.parametrize("again", DECISIONS)
@pytest.mark.parametrize("first", ["accept", "discard"])
def test_second_decision_names_first_one(first, again):
    (item,) = a_review(1)
    DECISIONS[first](item)
    words = {"accept": "accepted", "discard": "discarded"}[first]
    with pytest.raises(AlreadyDecided, match=f"This proposal is already {words}."):
        DECISIONS[again](item)
    assert (fresh(item).status, fresh(item).feedback) == (words, "" if first == "accept" else "no")


# --- Snooze -----------------------------------------------------------------------------------


@pytest.mark.seed("004 review: accept with edits, discard, snooze, duplicate, undo")
def test_snoozed_proposal_counts_as_open():
    (item,), ana = a_review(1, backlog_threshold=3), MemberFactory()
    until = timezone.now() + timedelta(days=1)
    snooze_item(actor=ana, item=item, until=until)
    assert (fresh(item).status, fresh(item).snoozed_until) == (ItemStatus.PROPOSED, until)
    assert plan_run(item.project).proposed == 1
    event = ProjectActivity.objects.get(type="fallback.item_snoozed")
    assert (event.actor, event.payload) == (ana, {"item": item.pk, "until": until.isoformat()})
    unsnooze_item(actor=Member.objects.system(), item=item)
    assert fresh(item).snoozed_until is None
    snooze_item(actor=Member.objects.system(), item=item, until=until)
    accept_item(actor=Member.objects.system(), item=item)
    assert fresh(item).snoozed_until is None


def test_snooze_rejects_past_time():
    (item,) = a_review(1)
    with pytest.raises(SnoozeInThePast):
        snooze_item(actor=Member.objects.system(), item=item, until=timezone.now() - timedelta(seconds=1))
    assert fresh(item).snoozed_until is None


# --- Undo -------------------------------------------------------------------------------------


@pytest.mark.seed("004 review: accept with edits, discard, snooze, duplicate, undo")
def test_undo_of_acceptance_reverts_everything():
    (item,), ana = a_review(1, weekly_mission_cap=1), MemberFactory()
    mission = accept_item(actor=ana, item=item, at=NOW)
    assert fresh(item.run).status == "completed"
    undo_decision(actor=ana, item=item, at=NOW + timedelta(minutes=59))
    item = fresh(item)
    assert (item.status, item.mission, item.reviewed_by, item.reviewed_at) == (ItemStatus.PROPOSED, None, None, None)
    assert not Mission.objects.filter(pk=mission.pk).exists()
    run = fresh(item.run)
    assert (run.status, run.completed_at, run.accepted_count, run.report_path) == ("awaiting_review", None, 0, "")
    assert spent(item.project) == {}
    undone = ProjectActivity.objects.get(type="fallback.decision_undone")
    assert (undone.actor, undone.payload) == (ana, {"item": item.pk, "was": "accepted", "title": item.title})
    # The quota of the week is available again.
    accept_item(actor=ana, item=item, at=NOW)
    assert fresh(item.run).status == "completed"


def test_run_completed_twice_is_recorded_twice():
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item)
    undo_decision(actor=ana, item=item)
    discard_item(actor=ana, item=item, feedback="no")
    told = ProjectActivity.objects.filter(type="fallback.run_completed").order_by("id")
    assert [(event.payload["accepted"], event.payload["discarded"]) for event in told] == [(1, 0), (0, 1)]


def test_undo_of_discard_clears_reason():
    (item, other), ana = a_review(2), MemberFactory()
    mark_duplicate(actor=ana, item=item, mission=MissionFactory(project=item.project), feedback="Same")
    undo_decision(actor=ana, item=item)
    item = fresh(item)
    assert (item.status, item.reason, item.feedback, item.duplicate_of) == (ItemStatus.PROPOSED, None, "", None)
    assert fresh(item.run).discarded_count == 0
    with pytest.raises(NotDecided):
        undo_decision(actor=ana, item=other)


def test_only_reviewer_can_undo():
    (item,), ana, ben = a_review(1), MemberFactory(), MemberFactory()
    accept_item(actor=ana, item=item)
    before = everything()
    with pytest.raises(NotAllowed, match="Only the reviewer who decided"):
        undo_decision(actor=ben, item=item)
    assert everything() == before


def test_undo_after_an_hour_is_rejected():
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item, at=NOW)
    before = everything()
    with pytest.raises(UndoWindowPassed):
        undo_decision(actor=ana, item=item, at=NOW + timedelta(minutes=60, seconds=1))
    assert everything() == before


def test_undo_in_cancelled_run_is_rejected():
    items, ana = a_review(2), MemberFactory()
    accept_item(actor=ana, item=items[0])
    cancel_run(actor=ana, run=items[0].run)
    for item in items:
        with pytest.raises(NotDecided):
            undo_decision(actor=ana, item=item)


def _agent(mission, other):
    CodeAgentSession.objects.create(mission=mission, agent="worker")


def _pull_request(mission, other):
    GithubPullRequest.objects.create(mission=mission, repository=mission.repository, number=1, title="Work")


TOUCHES = {
    "moved": lambda mission, other: move_mission(actor=Member.objects.system(), mission=mission, to=List.DOING),
    "moved there and back": lambda mission, other: [
        move_mission(actor=Member.objects.system(), mission=mission, to=to) for to in ("doing", "todo")
    ],
    "not ready": lambda mission, other: set_ready(actor=Member.objects.system(), mission=mission, ready=False),
    "edited": lambda mission, other: update_mission(
        actor=Member.objects.system(), mission=mission, changes={"title": "Other"}
    ),
    "waits for another": lambda mission, other: add_dependency(
        actor=Member.objects.system(), mission=mission, depends_on=other
    ),
    "another waits for it": lambda mission, other: add_dependency(
        actor=Member.objects.system(), mission=other, depends_on=mission
    ),
    "has an agent": _agent,
    "has a pull request": _pull_request,
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_undo_rejects_changed_mission(touch):
    (item,), ana = a_review(1), MemberFactory()
    mission = accept_item(actor=ana, item=item)
    TOUCHES[touch](mission, MissionFactory(project=item.project))
    before = everything()
    with pytest.raises(MissionChanged):
        undo_decision(actor=ana, item=item)
    assert everything() == before


def test_changed_position_does_not_prevent_undo():
    (item,), ana = a_review(1), MemberFactory()
    other = MissionFactory(project=item.project)
    mission = accept_item(actor=ana, item=item)
    move_mission(actor=Member.objects.system(), mission=mission, to=List.TODO, before=other.pk)
    undo_decision(actor=ana, item=item)
    assert list(item.project.missions.all()) == [other]


def test_undo_works_after_mission_was_deleted():
    (item,), ana = a_review(1), MemberFactory()
    accept_item(actor=ana, item=item, at=NOW).delete()
    undo_decision(actor=ana, item=item, at=NOW)
    assert (fresh(item).status, spent(item.project)) == (ItemStatus.PROPOSED, {})


def test_run_completes_with_last_decision():
    items, ana = a_review(3), MemberFactory()
    run = items[0].run
    accept_item(actor=ana, item=items[0])
    discard_item(actor=ana, item=items[1], feedback="no")
    assert fresh(run).status == "awaiting_review"
    assert not MissionEvent.objects.filter(type="fallback.run_completed").exists()
    accept_item(actor=ana, item=items[2])
    run = MissionFallbackRun.objects.get(pk=run.pk)
    assert (run.status, run.generated_count, run.accepted_count, run.discarded_count) == ("completed", 3, 2, 1)
    event = MissionEvent.objects.get(type="fallback.run_completed")
    assert (event.project, event.mission, event.origin, event.actor) == (run.project, None, "fallback", ana)
    assert event.payload == {"runId": run.pk, "generated": 3, "accepted": 2, "discarded": 1}
    assert not MissionFallbackItem.objects.proposed().exists()
