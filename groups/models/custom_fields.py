"""Fields that administrators define for people and missions, and their values."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from groups.models.subjects import AboutSubject, one_subject_check, unique_per_subject
from groups.rules import MAX_CUSTOM_VALUE, CustomFieldKind, CustomFieldTarget
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_blank_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class CustomField(models.Model):
    """A field of people or of missions. Its kind stays once there are values; the database checks each value."""

    Kind = CustomFieldKind
    Target = CustomFieldTarget

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    target = models.CharField(_("field of"), max_length=10, choices=CustomFieldTarget)
    name = models.CharField(
        _("name"),
        max_length=40,
        help_text=_("Heading in files: small letters, digits and underscores, such as shirt_size."),
    )
    label = models.CharField(_("label"), max_length=80, help_text=_("What pages show."))
    kind = models.CharField(_("kind"), max_length=10, choices=CustomFieldKind)
    # The texts of a choice; an empty list for every other kind.
    choices = models.JSONField(_("choices"), default=list, db_default=[], blank=True)
    position = models.IntegerField(
        _("position"), default=0, db_default=0, help_text=_("Fields are shown by position, then by label.")
    )
    is_archived = models.BooleanField(
        _("archived"),
        default=False,
        db_default=False,
        help_text=_("An archived field is not shown; its values are kept."),
    )
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["CustomField"].as_manager()

    class Meta:
        db_table = "custom_fields"
        db_table_comment = "Fields that administrators define for people and missions."
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = [F("target"), F("position"), F("label"), F("id")]
        constraints = [
            *one_line_checks("custom_fields", "label"),
            not_blank_check("custom_fields", "label", _("Enter a label.")),
            choices_check("custom_fields", "target", CustomFieldTarget),
            choices_check("custom_fields", "kind", CustomFieldKind),
            CheckConstraint(
                condition=Q(name__regex=r"^[a-z][a-z0-9_]*$"),
                name="custom_fields_name_format",
                violation_error_message=_("Use small letters, digits and underscores, beginning with a letter."),
                violation_error_code="name_format",
                field="name",
            ),
            UniqueConstraint(
                fields=["target", "name"],
                name="custom_fields_name_unique",
                violation_error_message=_("There is a field with this name already."),
                violation_error_code="field_exists",
                field="name",
            ),
            CheckConstraint(
                condition=Q(kind=CustomFieldKind.CHOICE) ^ Q(choices=[]),
                name="custom_fields_choices_fit_kind",
                violation_error_message=_("A field with a choice has choices, and no other kind has."),
                violation_error_code="choices_do_not_fit",
                field="choices",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {}


class CustomValue(AboutSubject):
    """The value of a field for one subject.

    value: in one form for each kind, which a trigger checks: a number as 12.5, a day as 2026-03-01, yes or no, one of
    the choices, or one line of text.
    """

    field = models.ForeignKey(
        CustomField, models.PROTECT, related_name="values", editable=False, verbose_name=_("field")
    )
    value = models.TextField(_("value"), editable=False)

    objects = QuerySet["CustomValue"].as_manager()

    class Meta:
        db_table = "custom_values"
        db_table_comment = "The values of custom fields."
        verbose_name = _("value of a custom field")
        verbose_name_plural = _("values of custom fields")
        ordering = [F("id")]
        constraints = [
            one_subject_check("custom_values"),
            *unique_per_subject("custom_values", "field"),
            *one_line_checks("custom_values", "value"),
            not_blank_check("custom_values", "value", _("Enter a value.")),
            CheckConstraint(
                condition=LessThanOrEqual(Length("value"), MAX_CUSTOM_VALUE),
                name="custom_values_value_not_too_long",
                violation_error_message=_("Enter at most 500 characters."),
                violation_error_code="value_too_long",
                field="value",
            ),
        ]
        # Who has a value: the filters of the lists.
        indexes = [models.Index(fields=["field", "value"], name="custom_values_by_value")]

    def __str__(self) -> str:
        return self.value
