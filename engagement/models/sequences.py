from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import SequenceCondition, SequenceEnd, SequenceStart, Topic
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class Sequence(models.Model):
    """Messages that follow an event of a member, each some days after it. Stops when the member opts out or leaves."""

    made_by_database = True

    name = models.CharField(_("name"), max_length=100)
    start = models.TextField(_("starts with"), choices=SequenceStart)
    topic = models.TextField(_("topic"), choices=Topic, default=Topic.GETTING_STARTED)
    is_enabled = models.BooleanField(
        _("in use"), default=False, db_default=False, help_text=_("A sequence that is not in use sends nothing.")
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["Sequence"].as_manager()

    class Meta:
        db_table = "engagement_sequences"
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")
        ordering = ["name", "id"]
        constraints = [
            *one_line_checks("engagement_sequences", "name"),
            choices_check("engagement_sequences", "start", SequenceStart),
            choices_check("engagement_sequences", "topic", Topic),
            UniqueConstraint(
                fields=["name"],
                name="engagement_sequences_name_unique",
                violation_error_message=_("A sequence with this name already exists."),
                violation_error_code="sequence_name_taken",
                field="name",
            ),
            CheckConstraint(
                condition=~Q(name__regex=r"^\s*$"),
                name="engagement_sequences_name_not_empty",
                violation_error_message=_("Enter a name."),
                violation_error_code="sequence_name_missing",
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SequenceStep(models.Model):
    """One message of a sequence. Each member is sent a step once at most."""

    made_by_database = True

    sequence = models.ForeignKey(
        Sequence, models.PROTECT, related_name="steps", db_index=False, verbose_name=_("sequence")
    )
    delay_days = models.PositiveSmallIntegerField(
        _("days after the start"), default=0, db_default=0, help_text=_("0 is sent at once.")
    )
    condition = models.TextField(
        _("condition"),
        choices=SequenceCondition,
        default=SequenceCondition.ALWAYS,
        db_default=SequenceCondition.ALWAYS,
        help_text=_("Checked on the day of the step. If it is not true then, the step is skipped."),
    )
    template_key = models.CharField(_("template"), max_length=100)
    is_enabled = models.BooleanField(
        _("in use"), default=True, db_default=True, help_text=_("A step that is not in use is skipped.")
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["SequenceStep"].as_manager()

    class Meta:
        db_table = "engagement_sequence_steps"
        verbose_name = _("step of a sequence")
        verbose_name_plural = _("steps of sequences")
        ordering = ["sequence", "delay_days", "id"]
        constraints = [
            *one_line_checks("engagement_sequence_steps", "template_key"),
            choices_check("engagement_sequence_steps", "condition", SequenceCondition),
            UniqueConstraint(
                fields=["sequence", "template_key"],
                name="engagement_sequence_steps_unique",
                violation_error_message=_("The sequence has a step with this template already."),
                violation_error_code="step_template_taken",
                field="template_key",
            ),
            CheckConstraint(
                condition=Q(delay_days__lte=365),
                name="engagement_sequence_steps_delay_limit",
                violation_error_message=_("Choose at most 365 days."),
                violation_error_code="step_delay_too_long",
                field="delay_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} · {self.template_key}"


class SequenceMember(models.Model):
    """A member for whom a sequence started; once per sequence."""

    sequence = models.ForeignKey(
        Sequence, models.PROTECT, related_name="members", db_index=False, verbose_name=_("sequence")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_sequences", verbose_name=_("member")
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.TextField(_("reason of the end"), choices=SequenceEnd, default="", db_default="", blank=True)

    objects = QuerySet["SequenceMember"].as_manager()

    class Meta:
        db_table = "engagement_sequence_members"
        verbose_name = _("member of a sequence")
        verbose_name_plural = _("members of sequences")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="")
                | Q(ended_at__isnull=False, end_reason__in=SequenceEnd.values),
                name="engagement_sequence_members_end",
            ),
            UniqueConstraint(fields=["sequence", "user"], name="engagement_sequence_members_unique"),
        ]
        indexes = [
            # The sweep of the sequences: members in order, without those whose sequence has ended.
            models.Index(fields=["id"], name="engagement_sequence_open", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.sequence}"
