from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from engagement.models.choices import TRANSITIONS, State, Trigger
from engagement.models.rules import BY_DATABASE
from missionsite.common.constraints import choices_check


class UserEngagementState(models.Model):
    """Where a member stands in the machine; a member without a row has done nothing yet.

    The state moves by the ten transitions alone: whoever changes it names the trigger, and the database writes the
    transition down or rejects.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_state")
    state = models.TextField(choices=State, default=State.ACTIVE, db_default=State.ACTIVE)
    last_activity_at = models.DateTimeField("last active", null=True, blank=True)
    goodbye_sent_at = models.DateTimeField(null=True, blank=True)
    goodbye_expires_at = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "user_engagement_states"
        verbose_name = "engagement state"
        ordering = [F("id").desc()]
        constraints = [
            choices_check("user_engagement_states", "state", State),
            models.CheckConstraint(
                condition=Q(state=State.GOODBYE_SENT, goodbye_sent_at__isnull=False, goodbye_expires_at__isnull=False)
                | (~Q(state=State.GOODBYE_SENT) & Q(goodbye_sent_at=None, goodbye_expires_at=None)),
                name="user_engagement_states_goodbye_dated",
            ),
            models.CheckConstraint(
                condition=Q(state=State.REMIND_LATER, remind_at__isnull=False)
                | (~Q(state=State.REMIND_LATER) & Q(remind_at=None)),
                name="user_engagement_states_reminder_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["state"], name="engagement_states_state"),
            models.Index(fields=["last_activity_at"], name="engagement_states_activity"),
            models.Index(
                fields=["goodbye_expires_at"],
                name="engagement_states_goodbye",
                condition=Q(goodbye_expires_at__isnull=False),
            ),
            models.Index(fields=["remind_at"], name="engagement_states_remind", condition=Q(remind_at__isnull=False)),
            # The sweep walks this one: who is active and how long they have been quiet.
            models.Index(
                fields=["last_activity_at", "id"], name="engagement_states_quiet", condition=Q(state=State.ACTIVE)
            ),
        ]
        permissions = [("move_userengagementstate", "Can move a member through the machine")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_state_display().lower()}"


def _ten() -> Q:
    """One of the ten transitions."""
    ten = Q()
    for (before, trigger), after in TRANSITIONS.items():
        ten |= Q(from_state=before, trigger=trigger, to_state=after)
    return ten


class EngagementStateTransition(models.Model):
    """One move of one member through the machine; written by the database, never changed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_transitions")
    from_state = models.TextField("from", choices=State)
    to_state = models.TextField("to", choices=State)
    trigger = models.TextField("why", choices=Trigger)
    # days_inactive; response_type after a goodbye; unprompted_return.
    metadata = models.JSONField("details", default=dict, db_default={})
    created_at = models.DateTimeField("when", db_default=TransactionNow())

    class Meta:
        db_table = "engagement_state_transitions"
        verbose_name = "transition"
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            models.CheckConstraint(
                condition=_ten(),
                name="engagement_state_transitions_legal",
                violation_error_message="The machine has no such transition.",
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="engagement_transitions_when")]

    def __str__(self) -> str:
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"
