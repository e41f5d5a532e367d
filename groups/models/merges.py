"""Merges of two people, the rows they moved, and pairs of people who may be the same."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class DuplicateStatus(models.TextChoices):
    OPEN = "open", _("To decide")
    NOT_SAME = "not_same", _("Not the same")
    MERGED = "merged", _("Merged")
    OUTDATED = "outdated", _("No longer alike")


class MemberMerge(models.Model):
    """One merge: the absorbed account or entry refers to the kept one with `merged_into`, until it is undone."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    kept = models.ForeignKey(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("kept account")
    )
    absorbed = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("absorbed account"),
    )
    kept_entry = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("kept entry"),
    )
    absorbed_entry = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        to_field="member_id",
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("absorbed entry"),
    )
    merged_by = models.ForeignKey("groups.Member", models.PROTECT, related_name="+", verbose_name=_("merged by"))
    reason = models.CharField(_("reason"), max_length=500, default="", db_default="", blank=True)
    merged_at = models.DateTimeField(_("merged at"), db_default=TransactionNow(), editable=False)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True, editable=False)
    undone_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("undone by"),
    )

    objects = QuerySet["MemberMerge"].as_manager()

    class Meta:
        db_table = "member_merges"
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = [F("merged_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("member_merges", "reason"),
            CheckConstraint(
                condition=Q(kept__isnull=True) | Q(absorbed__isnull=True) | ~Q(kept=F("absorbed")),
                name="member_merges_two_accounts",
            ),
            CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="member_merges_undone_fits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_entry_id or self.absorbed_id} → {self.kept_entry_id or self.kept_id}"


class MergedRow(models.Model):
    """A row that a merge changed: the columns before and after, for undoing. Erasing empties both."""

    id = models.BigAutoField(primary_key=True)
    merge = models.ForeignKey(MemberMerge, models.PROTECT, related_name="rows", verbose_name=_("merge"))
    step = models.IntegerField(_("step"))
    table_name = models.CharField(_("table"), max_length=63)
    row_key = models.CharField(_("key"), max_length=64)
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))

    objects = QuerySet["MergedRow"].as_manager()

    class Meta:
        db_table = "member_merge_rows"
        verbose_name = _("merged row")
        verbose_name_plural = _("merged rows")

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key}"


class PossibleDuplicate(models.Model):
    """Two people who may be the same. first, second: the ID of the account, or of the entry of one without."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    first = models.UUIDField(_("first person"), editable=False)
    second = models.UUIDField(_("second person"), editable=False)
    # Kinds of what both have in common, such as e-mail or name.
    reasons = models.JSONField(_("in common"), default=list, editable=False)
    score = models.IntegerField(_("score"), help_text=_("How likely they are the same, from 0 to 100."), editable=False)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=DuplicateStatus,
        default=DuplicateStatus.OPEN,
        db_default=DuplicateStatus.OPEN,
        editable=False,
    )
    found_at = models.DateTimeField(_("found at"), db_default=TransactionNow(), editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("decided by"),
    )

    objects = QuerySet["PossibleDuplicate"].as_manager()

    class Meta:
        db_table = "possible_duplicates"
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = [F("score").desc(), F("id")]
        constraints = [
            choices_check("possible_duplicates", "status", DuplicateStatus),
            CheckConstraint(condition=Q(first__lt=F("second")), name="possible_duplicates_in_order"),
            CheckConstraint(condition=Q(score__gte=0, score__lte=100), name="possible_duplicates_score_range"),
            # A pair is decided once: "not the same" is remembered.
            UniqueConstraint(fields=["first", "second"], name="possible_duplicates_pair_once"),
        ]
        indexes = [models.Index(F("status"), F("score").desc(), F("id"), name="possible_duplicates_list")]

    def __str__(self) -> str:
        return gettext("Possible duplicate %(id)s") % {"id": str(self.pk)[:8]}
