from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import MD5
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.checklist import DodItem
from missiondeck.models.choices import EvidenceKind, EvidenceState, Observation
from missiondeck.rules import EVIDENCE_FILE_BYTES, PULL_REQUEST
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_blank_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class OctetLength(Func):
    """The number of bytes."""

    function = "octet_length"
    output_field = models.IntegerField()


class Evidence(TimestampedModel):
    """What shows that an item of the definition of done is true.

    value: of a test, its class and name, or a pattern with `*`; of a suite, its name; of a link, its URL; of a
    sign-off, the role that signs; of a pull request, its URL on GitHub; of an address, a URL that must answer; of a
    file, its name. state, run, checked_at: set by the database whenever a run or the evidence changes; run is the test
    run that decided. observed, observed_at, detail: what the last check of a pull request or an address found. Items
    are ticked and reopened by all of their evidence but links and files.
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
    observed = models.TextField(
        _("observed"), choices=Observation, default="", db_default="", blank=True, editable=False
    )
    observed_at = models.DateTimeField(_("observed at"), null=True, blank=True, editable=False)
    detail = models.CharField(_("detail"), max_length=300, default="", db_default="", blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_evidence"
        verbose_name = _("evidence of an item")
        verbose_name_plural = _("evidence of items")
        ordering = ["item", "kind", "created_at", "id"]
        constraints = [
            *one_line_checks("dod_evidence", "value", "detail"),
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
                condition=~Q(kind__in=[EvidenceKind.LINK, EvidenceKind.ADDRESS]) | Q(value__regex="^https://[!-~]+$"),
                name="dod_evidence_link_form",
                violation_error_message=_("Enter a URL that starts with https://."),
                violation_error_code="evidence_link_invalid",
                field="value",
            ),
            CheckConstraint(
                condition=~Q(kind=EvidenceKind.PULL_REQUEST) | Q(value__regex=PULL_REQUEST),
                name="dod_evidence_pull_request_form",
                violation_error_message=_("Enter a pull request such as https://github.com/owner/name/pull/7."),
                violation_error_code="pull_request_invalid",
                field="value",
            ),
            CheckConstraint(
                condition=Q(observed="", observed_at=None)
                | Q(
                    kind__in=[EvidenceKind.PULL_REQUEST, EvidenceKind.ADDRESS],
                    observed__in=["", *Observation.values],
                    observed_at__isnull=False,
                ),
                name="dod_evidence_observation_consistent",
                violation_error_message=_("Only pull requests and addresses are checked outside of the site."),
                violation_error_code="observation_inconsistent",
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


class EvidenceFile(models.Model):
    """The content of evidence that is a file; immutable."""

    evidence = models.OneToOneField(
        Evidence, BY_DATABASE, primary_key=True, related_name="file", editable=False, verbose_name=_("evidence")
    )
    content = models.BinaryField(_("content"))
    digest = models.CharField(_("SHA-256 digest of the file"), max_length=64)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("added by"),
    )

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "dod_evidence_files"
        verbose_name = _("file of an item")
        verbose_name_plural = _("files of items")
        constraints = [
            CheckConstraint(
                condition=GreaterThan(OctetLength("content"), 0)
                & LessThanOrEqual(OctetLength("content"), EVIDENCE_FILE_BYTES),
                name="dod_evidence_files_size",
                violation_error_message=format_lazy(
                    _("A file can have 1 byte to {limit} MB."), limit=EVIDENCE_FILE_BYTES // 1024 // 1024
                ),
                violation_error_code="file_size_out_of_range",
            ),
            CheckConstraint(
                condition=Q(digest__regex="^[0-9a-f]{64}$"),
                name="dod_evidence_files_digest_form",
                violation_error_message=_("A digest must have 64 lower-case hexadecimal digits."),
                violation_error_code="digest_invalid",
            ),
        ]

    def __str__(self) -> str:
        return self.digest[:12]
