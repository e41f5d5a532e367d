"""Rows about a person or a mission: exactly one of an account, a directory entry, and a mission or colony."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint

SUBJECTS = ("member", "entry", "group")


class AboutSubject(models.Model):
    """A row about one subject. A person has those of their account and those of their entry."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.ForeignKey(
        "groups.Member", models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("member")
    )
    entry = models.ForeignKey(
        "groups.CommunityMember",
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("directory entry"),
    )
    group = models.ForeignKey(
        "groups.Group", models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("mission or colony")
    )

    class Meta:
        abstract = True


def one_subject_check(table: str) -> CheckConstraint:
    """Return the constraint that a row is about exactly one subject."""
    condition = Q()
    for chosen in SUBJECTS:
        condition |= Q(**{f"{name}__isnull": name != chosen for name in SUBJECTS})
    return CheckConstraint(condition=condition, name=f"{table}_one_subject")


def unique_per_subject(table: str, field: str) -> list[models.UniqueConstraint]:
    """Return the constraints that a subject has one row for each value of a field."""
    made: list[Any] = [
        models.UniqueConstraint(
            fields=[name, field], condition=Q(**{f"{name}__isnull": False}), name=f"{table}_{name}_unique"
        )
        for name in SUBJECTS
    ]
    return made
