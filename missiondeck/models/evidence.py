from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.checklist import DodItem
from missiondeck.models.choices import EvidenceKind, EvidenceState
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_blank_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class Evidence(TimestampedModel):
    """What shows that an item of the definition of done is true.

    value: of a test, its class and name, or a pattern with `*`; of a suite, its name; of a link, its URL; of a
    sign-off, the role that signs. state, run, checked_at: set by the database whenever a run or the evidence changes;
    run is the test run that decided. Items with tests, suites or sign-offs are ticked and reopened by them.
    """

    item = models.ForeignKey(
        DodItem, BY_DATABASE, related_name="evidence", db_index=False, verbose_name=_("item of the definition of done")
    )
    kind = models.TextField(_("kind"), choices=EvidenceKind)
    value = models.TextField(_("value"))
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("signed by"),
    )
    signed_at = models.DateTimeField(_("signed at"), null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True, editable=False)
    state = models.TextField(
        _("state"),
        choices=EvidenceState,
        default=EvidenceState.MISSING,
        db_default=EvidenceState.MISSING,
        editable=False,
    )
    run = models.ForeignKey(
        "missiondeck.TestRun",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("test run"),
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_evidence"
        verbose_name = _("evidence of an item")
        verbose_name_plural = _("evidence of items")
        ordering = ["item", "kind", "created_at", "id"]
        constraints = [
            *one_line_checks("dod_evidence", "value"),
            choices_check("dod_evidence", "kind", EvidenceKind),
            choices_check("dod_evidence", "state", EvidenceState),
            not_blank_check(
                "dod_evidence", "value", _("Enter a test, suite, URL or role."), code="evidence_value_missing"
            ),
            # By digest: a name is longer than an index entry may be.
            UniqueConstraint(
                F("item"),
                F("kind"),
                MD5("value"),
                name="dod_evidence_unique",
                condition=Q(removed_at=None),
                violation_error_message=_("The item has this evidence already."),
                violation_error_code="evidence_taken",
            ),
            CheckConstraint(
                condition=~Q(kind=EvidenceKind.LINK) | Q(value__regex="^https://[!-~]+$"),
                name="dod_evidence_link_form",
                violation_error_message=_("Enter a URL that starts with https://."),
                violation_error_code="evidence_link_invalid",
                field="value",
            ),
            CheckConstraint(
                condition=Q(signed_by=None, signed_at=None)
                | Q(kind=EvidenceKind.SIGN_OFF, signed_by__isnull=False, signed_at__isnull=False),
                name="dod_evidence_signature_consistent",
                violation_error_message=_("Only a sign-off is signed, by a person at a time."),
                violation_error_code="signature_inconsistent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.value}"


class EvidenceChange(models.Model):
    """An item that its evidence ticked or reopened, recorded by a trigger; append-only.

    run: the test run that decided; None for a sign-off.
    """

    id = models.BigAutoField(primary_key=True)
    mission = models.ForeignKey(
        "missiondeck.DeckMission", BY_DATABASE, related_name="+", db_index=False, verbose_name=_("client mission")
    )
    item = models.ForeignKey(
        DodItem, BY_DATABASE, related_name="+", db_index=False, verbose_name=_("item of the definition of done")
    )
    completed = models.BooleanField(_("done"))
    run = models.ForeignKey(
        "missiondeck.TestRun", BY_DATABASE, null=True, related_name="+", db_index=False, verbose_name=_("test run")
    )
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_evidence_changes"
        verbose_name = _("change of an item by its evidence")
        verbose_name_plural = _("changes of items by their evidence")
        ordering = [F("id").desc()]
        indexes = [
            models.Index(F("mission"), F("id").desc(), name="dod_evidence_changes_recent"),
            models.Index(F("item"), F("id").desc(), name="dod_evidence_changes_of_item"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} {self.completed}"
