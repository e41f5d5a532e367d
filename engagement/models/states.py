from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import ACTIVE_DAYS, TRANSITIONS, State, TransitionTrigger
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.constraints import CheckConstraint, choices_check
from missionsite.common.querysets import QuerySet


class UserEngagementState(models.Model):
    """Lifecycle state of a member; a member without a row has not been active yet.

    An UPDATE of the state must set `engagement.trigger`; a database trigger then logs the transition, or rejects a pair
    that is not one of the ten.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_state", verbose_name=_("member")
    )
    state = models.TextField(_("state"), choices=State, default=State.ACTIVE, db_default=State.ACTIVE)
    last_activity_at = models.DateTimeField(_("last active"), null=True, blank=True)
    goodbye_sent_at = models.DateTimeField(_("goodbye sent"), null=True, blank=True)
    goodbye_expires_at = models.DateTimeField(_("reply expected until"), null=True, blank=True)
    remind_at = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    # After an unclear reply the question is asked once more.
    asked_again_at = models.DateTimeField(_("asked again"), null=True, blank=True)
    reminder_queued_at = models.DateTimeField(_("reminder queued"), null=True, blank=True)
    reminder_expires_at = models.DateTimeField(_("reply to the reminder expected until"), null=True, blank=True)
    # Goodbyes in a row without a real answer; a trigger counts them, and the days with activity since, up to the third.
    unanswered_goodbyes = models.PositiveSmallIntegerField(_("goodbyes without an answer"), default=0, db_default=0)
    active_days = models.PositiveSmallIntegerField(_("active days since"), default=0, db_default=0)
    active_on = models.DateField(_("last day counted"), null=True, blank=True)
    # The Mondays of the last two weeks in which the member took part: did more than visit or write to the site.
    took_part_week = models.DateField(_("took part in the week of"), null=True, blank=True)
    took_part_week_before = models.DateField(_("and before in the week of"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["UserEngagementState"].as_manager()

    class Meta:
        db_table = "user_engagement_states"
        verbose_name = _("engagement state")
        verbose_name_plural = _("engagement states")
        ordering = [F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(goodbye_expires_at__isnull=True) | Q(goodbye_expires_at__gte=F("goodbye_sent_at")),
                name="user_engagement_states_goodbye_order",
                violation_error_message=_("A goodbye cannot expire before it is sent."),
                violation_error_code="goodbye_order",
                field="goodbye_expires_at",
            ),
            choices_check("user_engagement_states", "state", State),
            CheckConstraint(
                condition=Q(state=State.GOODBYE_SENT, goodbye_sent_at__isnull=False, goodbye_expires_at__isnull=False)
                | Q(goodbye_sent_at=None, goodbye_expires_at=None),
                name="user_engagement_states_goodbye_dates",
                violation_error_message=_(
                    'Only the state "Goodbye sent" has the date it was sent and the date it expires: both, or neither'
                    " until it is sent."
                ),
                violation_error_code="goodbye_dates_invalid",
            ),
            CheckConstraint(
                condition=Q(state=State.REMIND_LATER, remind_at__isnull=False)
                | (~Q(state=State.REMIND_LATER) & Q(remind_at=None)),
                name="user_engagement_states_reminder_date",
                violation_error_message=_('The state "Remind later" needs a reminder date; other states have none.'),
                violation_error_code="reminder_date_invalid",
            ),
            CheckConstraint(
                condition=(Q(state=State.GOODBYE_SENT) | Q(asked_again_at=None))
                & (Q(state=State.REMIND_LATER) | Q(reminder_queued_at=None, reminder_expires_at=None)),
                name="user_engagement_states_question_dates",
                violation_error_message=_(
                    'Only the state "Goodbye sent" has the date of a second question, and only "Remind later" those of'
                    " a reminder."
                ),
                violation_error_code="question_dates_invalid",
            ),
            CheckConstraint(
                condition=Q(active_days__lt=ACTIVE_DAYS)
                & (Q(unanswered_goodbyes__gt=0) | Q(active_days=0, active_on=None)),
                name="user_engagement_states_active_days",
                violation_error_message=_(
                    "Active days are counted up to the third, and only after a goodbye without an answer."
                ),
                violation_error_code="active_days_invalid",
            ),
            CheckConstraint(
                condition=Q(took_part_week_before=None)
                | Q(took_part_week__isnull=False, took_part_week__gt=F("took_part_week_before")),
                name="user_engagement_states_weeks_order",
                violation_error_message=_("The week before must be earlier than the last week."),
                violation_error_code="weeks_order",
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
            # The daily sweep: reminders without a reply.
            models.Index(
                fields=["reminder_expires_at"],
                name="engagement_states_reminder",
                condition=Q(reminder_expires_at__isnull=False),
            ),
            models.Index(fields=["remind_at"], name="engagement_states_remind", condition=Q(remind_at__isnull=False)),
            # The daily sweep: active members, least recently active first.
            models.Index(
                fields=["last_activity_at", "id"], name="engagement_states_quiet", condition=Q(state=State.ACTIVE)
            ),
        ]
        permissions = [("move_userengagementstate", _("Can change the lifecycle state of a member"))]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_state_display().lower()}"


def _allowed_transitions() -> Q:
    """Return the condition that a row is one of the ten transitions."""
    allowed = Q()
    for (before, trigger), after in TRANSITIONS.items():
        allowed |= Q(from_state=before, trigger=trigger, to_state=after)
    return allowed


class EngagementStateTransition(models.Model):
    """One state change of one member. Append-only; the database writes the rows."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_transitions", verbose_name=_("member")
    )
    from_state = models.TextField(_("from"), choices=State)
    to_state = models.TextField(_("to"), choices=State)
    trigger = models.TextField(_("trigger"), choices=TransitionTrigger)
    # days_inactive; response_type after a goodbye; unprompted_return; by: the ID of the staff who caused it, which the
    # member does not see.
    metadata = models.JSONField(_("details"), default=dict, db_default={})
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow())
    # Who caused it: the member, staff, or the system member for a sweep. NULL for SQL that names no actor,
    # and after the actor was deleted.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, BY_DATABASE, null=True, related_name="+", db_index=False, verbose_name=_("actor")
    )
    # The request, bulk action or job that it belongs to.
    changeset_id = models.UUIDField(_("changeset ID"), null=True, db_default=AuditChangesetId(), editable=False)

    class Meta:
        db_table = "engagement_state_transitions"
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=_allowed_transitions(),
                name="engagement_state_transitions_legal",
                violation_error_message=_("This transition does not exist."),
                violation_error_code="transition_rejected",
                field="trigger",
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], name="engagement_transitions_when"),
            # For the foreign key, and the transitions of one changeset.
            models.Index(fields=["actor"], name="engagement_transitions_actor", condition=Q(actor__isnull=False)),
            models.Index(
                fields=["changeset_id"], name="engagement_transitions_changes", condition=Q(changeset_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"
