from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, range_check
from missionsite.common.audit.context import Origin
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


class MissionDocumentVersion(models.Model):
    """One version of a document of a mission. The latest one is also a file in the document store."""

    id = UlidField()
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, db_index=False, related_name="document_versions", verbose_name=_("mission")
    )
    # Below the folder of the mission: solution.md or tasks/{n}.md
    name = models.TextField(_("document"))
    version = models.IntegerField(_("version"))
    content = models.TextField(_("text"), blank=True)
    author = models.ForeignKey(
        "groups.Member", models.PROTECT, related_name="mission_documents", db_index=False, verbose_name=_("author")
    )
    origin = models.TextField(_("origin"), choices=Origin, default=Origin.USER, db_default=Origin.USER)
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    # Since then, the content is empty.
    removed_at = models.DateTimeField(_("text removed"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "mission_document_versions"
        db_table_comment = "Documents of missions: every version, of which the latest is also a file."
        verbose_name = _("version of a document")
        verbose_name_plural = _("versions of documents")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(name__regex=rules.DOCUMENT_NAME),
                name="mission_document_versions_name_known",
                violation_error_message=_("A document is named solution.md, or tasks/1.md to tasks/999.md."),
                violation_error_code="document_name",
                field="name",
            ),
            range_check(
                "version",
                (1, 1_000_000),
                name="mission_document_versions_version_in_range",
                message=_("A version is a number between {low} and {high}."),
            ),
            CheckConstraint(
                condition=LessThanOrEqual(Length("content"), rules.DOCUMENT_LENGTH),
                name="mission_document_versions_content_length",
                violation_error_message=_("This text is too long. Shorten it, or split it into several documents."),
                violation_error_code="document_too_long",
                field="content",
            ),
            CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(content=""),
                name="mission_document_versions_removed_is_empty",
                violation_error_message=_("A version whose text was removed is empty."),
            ),
            choices_check("mission_document_versions", "origin", Origin),
            UniqueConstraint(
                fields=["mission", "name", "version"],
                name="mission_document_versions_once",
                violation_error_code="document_changed",
                violation_error_message=_(
                    "Another person saved this document in the meantime. Compare both texts, and save again."
                ),
                field="content",
            ),
        ]
        indexes = [models.Index(fields=["author"], name="mission_documents_author")]

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"
