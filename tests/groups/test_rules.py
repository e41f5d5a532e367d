"""The database and the README have the same rules as groups/rules.py."""

import re
from itertools import product
from pathlib import Path

import pytest
from django.utils import timezone

import groups
from groups.errors import TaskStateRejected
from groups.models import Member
from groups.rules import (
    EARLIEST_PARTICIPATION,
    ENTRY_MOVES,
    INVITATION_MOVES,
    MINUTES_A_DAY,
    TASK_MOVES,
    CommunityStatus,
    InvitationStatus,
    TaskState,
    normalize_username,
    targets_of,
)
from groups.services import tasks
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import (
    EntryFactory,
    InvitationFactory,
    MembershipFactory,
    ParticipationFactory,
    TaskFactory,
)

pytestmark = pytest.mark.django_db

README = Path(groups.__path__[0], "README.md")


@pytest.mark.parametrize(
    ("moves", "states"), [(ENTRY_MOVES, CommunityStatus), (INVITATION_MOVES, InvitationStatus), (TASK_MOVES, TaskState)]
)
def test_moves_connect_different_known_states(moves, states):
    for move in moves.values():
        assert {*move.sources, move.target} <= set(states)
        assert move.target not in move.sources


@pytest.mark.seed("003 Status")
@pytest.mark.parametrize(("before", "after"), list(product(CommunityStatus, repeat=2)))
def test_trigger_allows_moves_of_entries(before, after):
    entry = EntryFactory(status=before)
    update = "UPDATE community_members SET status = %s WHERE id = %s"
    if before == after or after in targets_of(ENTRY_MOVES, before):
        rows(update, [after, entry.pk])
    else:
        with rejected_by("community_members_status_moves"):
            rows(update, [after, entry.pk])


@pytest.mark.parametrize(("before", "after"), list(product(InvitationStatus, repeat=2)))
def test_trigger_allows_moves_of_invitations(before, after):
    guest = EntryFactory()

    def values(status: str) -> dict:
        accepted = status == InvitationStatus.ACCEPTED
        return {"status": status, "accepted_by": guest if accepted else None, "accepted_at": now if accepted else None}

    now = timezone.now()
    invitation = InvitationFactory(**values(before))
    new = values(after)
    update = (
        "UPDATE community_invitations SET status = %s, accepted_by = %s, accepted_at = %s WHERE invitation_id = %s",
        [after, new["accepted_by"] and guest.member_id, new["accepted_at"], invitation.pk],
    )
    if before == after or after in targets_of(INVITATION_MOVES, before):
        rows(*update)
    else:
        with rejected_by("community_invitations_status_moves"):
            rows(*update)


@pytest.mark.parametrize(("state", "move"), list(product(TaskState, TASK_MOVES)))
def test_services_allow_moves_of_tasks(state, move):
    membership = MembershipFactory()
    has_member = state in (TaskState.CLAIMED, TaskState.DONE)
    task = TaskFactory(group=membership.group, state=state, claimed_by=membership.member if has_member else None)
    service = getattr(tasks, f"{move}_task")
    arguments = {"actor": Member.objects.system(), "task": task}
    if move == "claim":
        arguments["member"] = membership.member
    if state in TASK_MOVES[move].sources:
        assert service(**arguments).state == TASK_MOVES[move].target
    else:
        with pytest.raises(TaskStateRejected):
            service(**arguments)


def test_constraints_have_limits_of_participation():
    ParticipationFactory(event_type="VOICE", event_metadata={"minutes": MINUTES_A_DAY})
    with rejected_by("member_participation_minutes_fit"):
        ParticipationFactory(event_type="VOICE", event_metadata={"minutes": MINUTES_A_DAY + 1})
    ParticipationFactory(occurred_at=EARLIEST_PARTICIPATION)
    with rejected_by("member_participation_time_fits"):
        ParticipationFactory(occurred_at=EARLIEST_PARTICIPATION - timezone.timedelta(microseconds=1))


def test_readme_draws_moves_of_entries():
    drawing = README.read_text(encoding="utf-8").split("stateDiagram-v2")[1].split("```")[0]
    drawn = set(re.findall(r"(\w+) --> (\w+)(?:: (\w+))?", drawing))
    moves = {(source, move.target, name) for name, move in ENTRY_MOVES.items() for source in move.sources}
    assert {each for each in drawn if "[" not in each[0]} == moves


@pytest.mark.parametrize(
    ("typed", "name"), [("ana", "ana"), (" @ana ", "ana"), ("@ ana", "ana"), ("@@ana", "@ana"), ("", ""), (None, "")]
)
def test_user_names_are_normalized(typed, name):
    assert normalize_username(typed) == name
