"""Forms of the back office: refusals at the field they are about, pickers that search."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import CheckConstraint, Field, Model, UniqueConstraint
from django.db.models.expressions import F

from missionsite.common.admin.command import describe
from missionsite.common.errors import DomainError


class ServiceForm(forms.ModelForm):
    """A model form whose rules speak at the field they are about.

    `refusal` is what a service answered when these values were saved; it becomes an error of the form.
    """

    refusal: DomainError | None = None

    def clean(self) -> dict:
        cleaned = super().clean()
        if refusal := self.refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, refusal.message)
        return cleaned

    def validate_constraints(self) -> None:
        """Django says a broken constraint above the form; say it at its field where it is about one."""
        exclude = self._get_validation_exclusions()
        for constraint in self.instance._meta.constraints:
            try:
                constraint.validate(type(self.instance), self.instance, exclude=exclude)
            except ValidationError as error:
                named = _fields_of(constraint) & set(self.fields)
                self.add_error(named.pop() if len(named) == 1 else None, error.messages)


class PickOne(forms.ModelChoiceField):
    """A foreign key chosen by searching: `PickOne(Membership, "member")` searches as the list of members does."""

    def __init__(self, model: type[Model], field_name: str, *, queryset=None, **kwargs) -> None:
        field: Field = model._meta.get_field(field_name)
        kwargs.setdefault("label", str(field.verbose_name).capitalize())
        super().__init__(
            queryset=field.remote_field.model._default_manager.all() if queryset is None else queryset,
            widget=AutocompleteSelect(field, admin.site, attrs={"style": "width: 100%"}),
            **kwargs,
        )

    def label_from_instance(self, obj: Model) -> str:
        return describe(obj)


def _fields_of(constraint) -> set[str]:
    """The names of the fields a constraint is about."""
    match constraint:
        case CheckConstraint():
            return set(constraint.condition.referenced_base_fields)
        case UniqueConstraint() if constraint.expressions:
            parts = (part for expression in constraint.expressions for part in expression.flatten())
            return {part.name for part in parts if isinstance(part, F)}
        case UniqueConstraint():
            return set(constraint.fields)
    return set()
