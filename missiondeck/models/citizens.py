from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import TimestampedModel
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, not_blank_check, one_line_checks
from missionsite.common.querysets import QuerySet


class Citizen(TimestampedModel):
    """A citizen that works on client missions; each mission has a chat with each citizen.

    key: in URLs and messages; immutable. position: the order of the tabs. is_enabled: whether new messages can be
    added; the messages of a citizen that is not enabled stay readable.
    """

    key = models.TextField(
        _("key"),
        help_text=_("Lower-case letters, digits and hyphens, such as rafael. It cannot be changed later."),
    )
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(
        _("role"), max_length=200, default="", db_default="", blank=True, help_text=_("Such as: The Specifier.")
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, db_default=0, help_text=_("Citizens are listed by position, then by name.")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, db_default=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_citizens"
        verbose_name = _("citizen")
        verbose_name_plural = _("citizens")
        ordering = ["position", "name", "key"]
        constraints = [
            *one_line_checks("deck_citizens", "name", "role"),
            not_blank_check("deck_citizens", "name", _("Enter a name."), code="name_missing"),
            CheckConstraint(
                condition=Q(key__regex=rules.CITIZEN_KEY),
                name="deck_citizens_key_form",
                violation_error_message=_("Enter lower-case letters, digits and hyphens, beginning with a letter."),
                violation_error_code="citizen_key_invalid",
                field="key",
            ),
            # Referenced by the messages.
            UniqueConstraint(
                fields=["key"],
                name="deck_citizens_key_unique",
                violation_error_message=_("A citizen with this key exists already."),
                violation_error_code="citizen_key_taken",
                field="key",
            ),
            UniqueConstraint(
                Lower("name"),
                name="deck_citizens_name_unique",
                violation_error_message=_("A citizen with this name exists already."),
                violation_error_code="citizen_taken",
                field="name",
            ),
            CheckConstraint(
                condition=~Q(key=rules.TESTER) | Q(is_enabled=True),
                name="deck_citizens_tester_enabled",
                violation_error_message=_("The test runs are shown with this citizen, so it cannot be disabled."),
                violation_error_code="tester_disabled",
                field="is_enabled",
            ),
        ]

    def __str__(self) -> str:
        return self.name
