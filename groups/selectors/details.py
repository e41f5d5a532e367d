"""Tags, notes and custom fields of people, missions and colonies."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Lower

from groups.models import CommunityMember, CustomField, CustomValue, Group, Member, Note, Tag, Tagging
from groups.rules import CustomFieldTarget

Subject = Member | CommunityMember | Group
# Before the name of a custom field in the headings of files and the parameters of filters.
FIELD_PREFIX = "field_"


def about(subject: Subject) -> Q:
    """Return the condition of rows about a subject; a person has those of their account and of their entry."""
    if isinstance(subject, Group):
        return Q(group=subject.pk)
    if isinstance(subject, CommunityMember):
        return Q(entry=subject.pk) | Q(member=subject.person_id) if subject.person_id else Q(entry=subject.pk)
    return Q(member=subject.pk) | Q(entry__person=subject.pk)


def target_of(subject: Subject) -> CustomFieldTarget:
    return CustomFieldTarget.MISSION if isinstance(subject, Group) else CustomFieldTarget.MEMBER


def has_fields(subject: Subject) -> bool:
    """Whether custom fields exist for this kind of subject: members and missions have them, colonies have not."""
    return not isinstance(subject, Group) or subject.is_mission


def tags_of(subject: Subject) -> QuerySet[Tag]:
    rows = Tagging.objects.filter(about(subject))
    return Tag.objects.filter(pk__in=rows.values("tag"))


def notes_of(subject: Subject) -> QuerySet[Note]:
    """Return the notes about a subject with their authors, newest first."""
    return Note.objects.filter(about(subject)).select_related("author")


def fields_for(target: str) -> list[CustomField]:
    """Return the fields in use, in order."""
    return list(CustomField.objects.filter(target=target, is_archived=False))


def values_of(subject: Subject) -> dict[Any, str]:
    """Return the values of a subject by the key of the field; the account's before the entry's."""
    rows = CustomValue.objects.filter(about(subject)).order_by(F("member").desc(nulls_first=True))
    return dict(rows.values_list("field", "value"))


def _about_row(rows: QuerySet[Any], model: type) -> QuerySet[Any]:
    """Limit rows to those about the row of an outer query of a model."""
    if issubclass(model, Group):
        return rows.filter(group=OuterRef("pk"))
    if issubclass(model, CommunityMember):
        return rows.filter(Q(entry=OuterRef("pk")) | Q(member=OuterRef("person")))
    return rows.filter(Q(member=OuterRef("pk")) | Q(entry__person=OuterRef("pk")))


def tag_names(model: type) -> Subquery:
    """Return an expression for the tags of a row, separated by semicolons."""
    rows = _about_row(Tagging.objects.order_by(), model).annotate(all=Value(1)).values("all")
    return Subquery(rows.annotate(names=StringAgg("tag__name", "; ", order_by=Lower("tag__name"))).values("names"))


def value_of(field: CustomField, model: type) -> Subquery:
    """Return an expression for the value of a field."""
    rows = _about_row(CustomValue.objects.filter(field=field), model)
    return Subquery(rows.order_by(F("member").asc(nulls_last=True)).values("value")[:1])


def having(queryset: QuerySet[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the people or groups that some taggings or values are about."""
    if issubclass(queryset.model, Group):
        return queryset.filter(pk__in=rows.filter(group__isnull=False).values("group"))
    of_accounts = rows.filter(member__isnull=False).values("member")
    if issubclass(queryset.model, CommunityMember):
        of_entries = rows.filter(entry__isnull=False).values("entry")
        return queryset.filter(Q(pk__in=of_entries) | Q(person__in=of_accounts))
    of_entries = rows.filter(entry__person__isnull=False).values("entry__person")
    return queryset.filter(Q(pk__in=of_accounts) | Q(pk__in=of_entries))


def value_columns(target: str, model: type) -> dict[str, Subquery]:
    """Return the expressions of a file's columns for the custom fields, by the names of the columns."""
    return {f"{FIELD_PREFIX}{field.name}": value_of(field, model) for field in fields_for(target)}
