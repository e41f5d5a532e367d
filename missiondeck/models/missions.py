from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import DeckStatus
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_before_check,
    not_blank_check,
    one_line_checks,
)
from missionsite.common.fields import URLField
from missionsite.common.querysets import QuerySet


class NextNumber(Func):
    """The next number of a client mission, from a database sequence."""

    template = "nextval('deck_missions_number_seq')"
    output_field = models.BigIntegerField()


class DeckMission(TimestampedModel):  # type: ignore[django-manager-missing]  # see models/history.py
    """A piece of paid work for a client.

    assignee: the member whose e-mail address is assigned_to; set by a trigger.
    """

    number = models.BigIntegerField(
        _("number"), db_default=NextNumber(), editable=False, help_text=_("Assigned automatically.")
    )
    title = models.CharField(_("title"), max_length=200)
    client = models.CharField(_("client"), max_length=200)
    budget = models.PositiveIntegerField(_("budget"), help_text=_("Whole units of the currency."))
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="USD",
        db_default="USD",
        help_text=_("Three-letter code (ISO 4217), such as USD, EUR or BRL."),
    )
    deadline = models.DateTimeField(_("deadline"))
    status = models.TextField(_("status"), choices=DeckStatus, default=DeckStatus.ACTIVE, db_default=DeckStatus.ACTIVE)
    assigned_to = models.EmailField(
        _("assigned to"), max_length=254, help_text=_("E-mail address of the person who delivers the mission.")
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="deck_missions",
        editable=False,
        verbose_name=_("member"),
    )
    github_url = URLField(
        _("repository"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Optional, on any host. Example: https://gitlab.example.org/group/name"),
    )
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True, editable=False)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="completed_deck_missions",
        editable=False,
        db_index=False,
        verbose_name=_("completed by"),
    )
    override_reason = models.TextField(_("override reason"), blank=True, default="", db_default="", editable=False)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_missions"
        db_table_comment = "Paid work for clients."
        verbose_name = _("client mission")
        verbose_name_plural = _("client missions")
        ordering = [F("number").desc()]
        permissions = [
            ("change_deckmission_status", _("Can change the status of client missions")),
            ("override_deckmission", _("Can complete a client mission that is not done")),
        ]
        constraints = [
            *one_line_checks("deck_missions", "title", "client", "currency", "assigned_to", "github_url"),
            choices_check("deck_missions", "status", DeckStatus),
            UniqueConstraint(
                fields=["number"],
                name="deck_missions_number_unique",
                violation_error_message=_("This number is already used by another client mission."),
                violation_error_code="number_taken",
                field="number",
            ),
            not_blank_check("deck_missions", "title", _("Enter a title."), code="title_missing"),
            not_blank_check("deck_missions", "client", _("Enter the name of the client."), code="client_missing"),
            CheckConstraint(
                condition=Q(number__gt=0),
                name="deck_missions_number_positive",
                violation_error_message=_("The number must be at least 1."),
                violation_error_code="number_not_positive",
                field="number",
            ),
            CheckConstraint(
                condition=Q(budget__gt=0),
                name="deck_missions_budget_positive",
                violation_error_message=_("Enter a budget greater than 0."),
                violation_error_code="budget_not_positive",
                field="budget",
            ),
            CheckConstraint(
                condition=Q(
                    deadline__gte=datetime(rules.FIRST_YEAR, 1, 1, tzinfo=UTC),
                    deadline__lt=datetime(rules.LAST_YEAR + 1, 1, 1, tzinfo=UTC),
                ),
                name="deck_missions_deadline_range",
                violation_error_message=format_lazy(
                    _("Enter a deadline between the years {first} and {last}."),
                    first=rules.FIRST_YEAR,
                    last=rules.LAST_YEAR,
                ),
                violation_error_code="deadline_out_of_range",
                field="deadline",
            ),
            CheckConstraint(
                condition=Q(currency__regex=rules.CURRENCY),
                name="deck_missions_currency_form",
                violation_error_message=_("Enter a currency as three capital letters, such as USD, EUR or BRL."),
                violation_error_code="currency_invalid",
                field="currency",
            ),
            CheckConstraint(
                condition=Q(assigned_to__regex=r"^[^@\s]+@[^@\s]+$"),
                name="deck_missions_assigned_to_form",
                violation_error_message=_("Enter the e-mail address of the assignee."),
                violation_error_code="assignee_missing",
                field="assigned_to",
            ),
            CheckConstraint(
                condition=Q(github_url="") | Q(github_url__regex=rules.REPOSITORY),
                name="deck_missions_github_url_form",
                violation_error_message=_("Enter the URL of a repository, such as https://github.com/owner/name."),
                violation_error_code="repository_invalid",
                field="github_url",
            ),
            CheckConstraint(
                condition=Q(status=DeckStatus.COMPLETE, completed_at__isnull=False)
                | (~Q(status=DeckStatus.COMPLETE) & Q(completed_at=None, completed_by=None, override_reason="")),
                name="deck_missions_completion_consistent",
                violation_error_message=_("Only a complete mission has a completion time, person and override reason."),
                violation_error_code="completion_inconsistent",
            ),
            not_before_check(
                "deck_missions",
                "completed_at",
                "created_at",
                _("A mission cannot be completed before it is created."),
                code="completed_before_creation",
            ),
            CheckConstraint(
                condition=Q(override_reason="") | (~Q(override_reason__regex=r"^\s*$") & Q(completed_by__isnull=False)),
                name="deck_missions_override_reason_required",
                violation_error_message=_("Enter a reason to complete a mission that is not done."),
                violation_error_code="override_reason_missing",
                field="override_reason",
            ),
        ]
        indexes = [
            # The lists of missions that are due next or overdue.
            models.Index(fields=["deadline", "number"], name="deck_missions_due", condition=~Q(status="complete")),
            # The calendar pages.
            models.Index(fields=["deadline"], name="deck_missions_deadline"),
            models.Index(F("status"), F("number").desc(), name="deck_missions_status"),
            models.Index(OpClass(Lower("client"), "text_pattern_ops"), name="deck_missions_client_prefix"),
            # The missions of a new member, by address.
            models.Index(Lower("assigned_to"), name="deck_missions_unassigned", condition=Q(assignee__isnull=True)),
            models.Index(OpClass(Lower("title"), "text_pattern_ops"), name="deck_missions_title_prefix"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    def audit_links(self) -> dict[str, int]:
        """What an event about this mission names."""
        return {"client_mission": self.number}


class DeckStatusChange(models.Model):
    """A status change of a client mission, recorded by a trigger; append-only.

    missing: for an override, what was missing at that time.
    """

    id = models.BigAutoField(primary_key=True)
    mission = models.ForeignKey(
        DeckMission, BY_DATABASE, related_name="status_changes", db_index=False, verbose_name=_("client mission")
    )
    from_status = models.TextField(_("from status"), choices=DeckStatus)
    to_status = models.TextField(_("to status"), choices=DeckStatus)
    reason = models.TextField(_("reason"), default="", db_default="", blank=True)
    is_override = models.BooleanField(_("override"), default=False, db_default=False)
    missing = models.JSONField(_("missing"), default=list, db_default=[], blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("changed by"),
    )
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow(), editable=False)
    # The changeset in which the change was recorded.
    changeset_id = models.UUIDField(
        _("changeset"), null=True, blank=True, editable=False, db_default=AuditChangesetId()
    )

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_status_changes"
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering = [F("id").desc()]
        constraints = [
            choices_check("deck_status_changes", "from_status", DeckStatus),
            choices_check("deck_status_changes", "to_status", DeckStatus),
        ]
        indexes = [
            models.Index(F("mission"), F("id").desc(), name="deck_status_changes_of_mission"),
            # The status changes of a changeset.
            models.Index(
                fields=["changeset_id"], name="deck_status_changes_changeset", condition=Q(changeset_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
