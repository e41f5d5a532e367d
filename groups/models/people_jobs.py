"""Jobs on many people, with progress: imports, and links to set a password."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class PeopleJobKind(models.TextChoices):
    PASSWORD_LINKS = "password_links", _("Links to set a password")
    IMPORT_MEMBERS = "import_members", _("Import of members")
    IMPORT_MEMBERSHIPS = "import_memberships", _("Import of memberships")
    OWN_DATA = "own_data", _("Download of own data")


class PeopleJobStatus(models.TextChoices):
    TO_APPROVE = "to_approve", _("Waiting for approval")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ENDED = (PeopleJobStatus.DONE, PeopleJobStatus.FAILED, PeopleJobStatus.CANCELLED)


class PeopleJob(models.Model):
    """One job, run by a worker: how far it is, and what it did. What it works on is emptied when it ends."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    kind = models.CharField(_("job"), max_length=30, choices=PeopleJobKind, editable=False)
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=PeopleJobStatus,
        default=PeopleJobStatus.QUEUED,
        db_default=PeopleJobStatus.QUEUED,
        editable=False,
    )
    file_name = models.CharField(_("file"), max_length=200, default="", db_default="", editable=False)
    # What the job works on: keys of members, or what was chosen for a file.
    work = models.JSONField(_("work"), default=dict, db_default={}, editable=False)
    total = models.IntegerField(_("people"), default=0, db_default=0, editable=False)
    done = models.IntegerField(_("handled"), default=0, db_default=0, editable=False)
    # Counts, by name.
    results = models.JSONField(_("results"), default=dict, db_default={}, editable=False)
    message = models.TextField(_("message"), default="", db_default="", editable=False)
    needs_approval = models.BooleanField(_("needs approval"), default=False, db_default=False, editable=False)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False, db_default=False, editable=False)
    started_by = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="+", editable=False, verbose_name=_("started by")
    )
    approved_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("approved by"),
    )
    created_at = models.DateTimeField(_("started at"), db_default=TransactionNow(), editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)

    objects = QuerySet["PeopleJob"].as_manager()

    class Meta:
        db_table = "people_jobs"
        verbose_name = _("job on people")
        verbose_name_plural = _("jobs on people")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("people_jobs", "file_name"),
            choices_check("people_jobs", "kind", PeopleJobKind),
            choices_check("people_jobs", "status", PeopleJobStatus),
            CheckConstraint(condition=Q(total__gte=0, done__gte=0), name="people_jobs_numbers_not_negative"),
            CheckConstraint(
                condition=Q(status__in=ENDED, ended_at__isnull=False, work={})
                | (~Q(status__in=ENDED) & Q(ended_at__isnull=True)),
                name="people_jobs_ended_fits",
            ),
            CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(approved_by__isnull=False)
                | Q(status__in=("to_approve", "failed", "cancelled")),
                name="people_jobs_approved_first",
                violation_error_message=_("A second person must approve this job first."),
                violation_error_code="job_not_approved",
            ),
            CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("started_by")),
                name="people_jobs_two_people",
                violation_error_message=_("Another person than the one who started it must approve it."),
                violation_error_code="approved_by_self",
            ),
        ]
        indexes = [models.Index(F("created_at").desc(), F("id").desc(), name="people_jobs_newest")]
        permissions = [("approve_peoplejob", _("Can approve large imports"))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.file_name}".strip()

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {}

    @property
    def is_active(self) -> bool:
        return self.status not in ENDED

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0
