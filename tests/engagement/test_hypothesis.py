"""Random sequences of events for a few members: the log stays consistent with the states.

A build runs a few examples; MACHINE_RUNS=500 MACHINE_STEPS=50 bin/test tests/engagement/test_hypothesis.py runs many.
"""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from engagement.errors import TransitionRejected
from engagement.models import EngagementMessage, EngagementStateTransition, UserEngagementState
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import record_activities, record_activity, transition
from engagement.services.onboarding import complete_action
from engagement.services.sending import MessageSender
from engagement.services.sweeps import sweep_daily, sweep_weekly
from engagement.transports import Outgoing, Receipt
from tests.engagement.transition_table import LEGAL, STATES, TRIGGERS
from tests.support.database import rows
from tests.support.factories.engagement import PersonFactory

pytestmark = pytest.mark.django_db

RUNS, STEPS = int(os.environ.get("MACHINE_RUNS", "5")), int(os.environ.get("MACHINE_STEPS", "30"))
BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPANS = [
    timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=9), timedelta(days=1),
    timedelta(days=2), timedelta(days=3), timedelta(days=7), timedelta(days=14),
]  # fmt: skip
TEXTS = [
    "1", "2️⃣", "Tudo certo!", "confuso", "busy", "hello", "olá 🦉", "", "stop reminders", "começar lembretes",
    "switch to group", "mudar para individual",
]  # fmt: skip
STEPS_OF_TIERS = ["introduce_yourself", "verify_github", "join_mission", "complete_task", "invite_member"]
PEOPLE = st.integers(0, 3)


class Outbox:
    """A transport that accepts everything and stores the keys."""

    name = "hypothesis"
    marks_every = 10

    def __init__(self):
        self.taken = []

    def send(self, message: Outgoing) -> Receipt:
        self.taken.append(message.idempotency_key)
        return Receipt(f"taken-{len(self.taken)}")

    def close(self):
        pass


class Community(RuleBasedStateMachine):
    """Four members, a clock, and every event that changes their state."""

    def __init__(self):
        super().__init__()
        # Each run is rolled back.
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.now = BEGINNING
        self.people = [
            PersonFactory(profile={"timezone": zone, "individual_jid": f"{zone}@chat"})
            for zone in ("UTC", "America/Sao_Paulo", "Europe/Lisbon", "Pacific/Auckland")
        ]
        # The model: expected transitions and state of each member.
        self.moves = {person.pk: [] for person in self.people}
        self.stands = {person.pk: "active" for person in self.people}
        self.outbox = Outbox()

    def teardown(self):
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    def catch_up(self):
        """Add transitions of sweeps to the model; each must be one of the ten, from the model's state."""
        for person in self.people:
            log = list(
                EngagementStateTransition.objects.filter(user=person)
                .order_by("pk")
                .values_list("from_state", "trigger", "to_state")
            )
            done = self.moves[person.pk]
            assert log[: len(done)] == done, "logged transitions do not change"
            for before, trigger, after in log[len(done) :]:
                assert before == self.stands[person.pk]
                assert LEGAL[before, trigger] == after
                self.stands[person.pk] = after
            self.moves[person.pk] = log

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span):
        self.now += span

    @rule(who=PEOPLE, trigger=st.sampled_from(TRIGGERS))
    def trigger_is_pulled(self, who, trigger):
        person = self.people[who]
        expected = LEGAL.get((self.stands[person.pk], trigger))
        if expected:
            assert transition(actor=person, member=person, trigger=trigger, at=self.now).state == expected
            self.catch_up()
            assert self.moves[person.pk][-1][1] == trigger
        else:
            before = len(self.moves[person.pk])
            with pytest.raises(TransitionRejected):
                transition(actor=person, member=person, trigger=trigger, at=self.now)
            self.catch_up()
            assert len(self.moves[person.pk]) == before

    @rule(who=PEOPLE, trigger=st.sampled_from(["", *TRIGGERS]), to=st.sampled_from(STATES))
    def state_is_written_by_hand(self, who, trigger, to):
        """Run an UPDATE with any trigger and state: only the ten transitions are accepted; roll back."""
        person = self.people[who]
        stood = self.stands[person.pk]
        came_through = False
        try:
            with transaction.atomic():
                rows("SELECT set_config('engagement.trigger', %s, true)", [trigger])
                rows(
                    """UPDATE user_engagement_states SET state = %s,
                           goodbye_sent_at = CASE WHEN %s = 'goodbye_sent' THEN now() END,
                           goodbye_expires_at = CASE WHEN %s = 'goodbye_sent' THEN now() END,
                           remind_at = CASE WHEN %s = 'remind_later' THEN now() END,
                           asked_again_at = NULL, reminder_queued_at = NULL, reminder_expires_at = NULL
                       WHERE user_id = %s""",
                    [to, to, to, to, person.pk],
                )
                came_through = True
                transaction.set_rollback(True)
        except DatabaseError:
            pass
        is_there = UserEngagementState.objects.filter(user=person).exists()
        assert came_through == (not is_there or to == stood or LEGAL.get((stood, trigger)) == to)

    @rule(who=PEOPLE, text=st.sampled_from(TEXTS), ago=st.sampled_from([timedelta(0), timedelta(hours=2)]))
    def member_writes(self, who, text, ago):
        handle_inbound(actor=self.people[who], text=text, at=self.now - ago)
        self.catch_up()

    @rule(who=PEOPLE, ago=st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(days=5)]))
    def member_takes_part(self, who, ago):
        record_activity(member=self.people[who], at=self.now - ago)
        self.catch_up()

    @rule()
    def everyone_takes_part(self):
        record_activities(seen={person.pk: self.now for person in self.people})
        self.catch_up()
        # Activity at the time of the last transition is not later than it.
        latest = dict(rows("SELECT user_id, max(created_at) FROM engagement_state_transitions GROUP BY 1"))
        for person in self.people:
            assert self.stands[person.pk] == "active" or latest[person.pk] >= self.now

    @rule(who=PEOPLE, step=st.sampled_from(STEPS_OF_TIERS))
    def member_takes_a_step(self, who, step):
        complete_action(actor=self.people[who], member=self.people[who], action=step, at=self.now)

    @rule(batch=st.sampled_from([1, 2, 100]))
    def clock_sweeps(self, batch):
        sweep_daily(at=self.now, batch=batch)
        self.catch_up()
        quiet = UserEngagementState.objects.filter(state="active", last_activity_at__lte=self.now - timedelta(days=14))
        assert not quiet.filter(user__engagement_profile__reengagement_opt_out=False).exists()
        late = UserEngagementState.objects.filter(goodbye_expires_at__lte=self.now)
        assert not late.exists()

    @rule()
    def week_is_reviewed(self):
        sweep_weekly(at=self.now)

    @rule()
    def messages_are_sent(self):
        MessageSender(self.outbox, clock=lambda: self.now).drain()

    # --- Invariants -----------------------------------------------------------------------------------

    @invariant()
    def log_and_states_agree(self):
        states = dict(UserEngagementState.objects.values_list("user", "state"))
        for person in self.people:
            assert states.get(person.pk, "active") == self.stands[person.pk]
            assert EngagementStateTransition.objects.filter(user=person).count() == len(self.moves[person.pk])

    @invariant()
    def messages_belong_to_their_moves(self):
        """One goodbye per day with inactivity_14d, one help_restart per day with goodbye_response_1, no others."""
        for trigger, kind in (("inactivity_14d", "goodbye"), ("goodbye_response_1", "help_restart")):
            due = rows(
                """SELECT DISTINCT user_id || ':' || %s || ':' || to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
                   FROM engagement_state_transitions WHERE trigger = %s""",
                [kind, trigger],
            )
            queued = EngagementMessage.objects.filter(message_type=kind).values_list("idempotency_key", flat=True)
            assert sorted(queued) == sorted(key for (key,) in due)

    @invariant()
    def checks_hold(self):
        assert (
            rows(
                """SELECT state FROM user_engagement_states
               WHERE (goodbye_sent_at IS NOT NULL) <> (goodbye_expires_at IS NOT NULL)
                  OR (goodbye_sent_at IS NOT NULL AND state <> 'goodbye_sent')
                  OR (state = 'remind_later') <> (remind_at IS NOT NULL)"""
            )
            == []
        )
        assert rows("SELECT * FROM members_over_frequency_cap(3, interval '7 days')") == []

    @invariant()
    def nothing_is_sent_twice_or_to_who_is_gone(self):
        assert len(self.outbox.taken) == len(set(self.outbox.taken))
        assert sorted(self.outbox.taken) == sorted(
            EngagementMessage.objects.filter(status="sent").values_list("idempotency_key", flat=True)
        )


def test_log_stays_consistent_in_any_sequence():
    run_state_machine_as_test(
        Community,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
