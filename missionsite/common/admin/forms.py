"""Form classes and fields of the back office: service errors at their field, autocomplete fields."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import BaseConstraint, CheckConstraint, ForeignKey, Model, Q, QuerySet, UniqueConstraint
from django.db.models.expressions import F

from missionsite.common.admin.command_palette import describe
from missionsite.common.errors import DomainError


def add_service_error(form: forms.BaseForm, error: DomainError) -> None:
    """Show an error of a service at its field, or above the form when the form has no such field."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


class ServiceForm(forms.ModelForm):
    """A model form that shows constraint errors at the field they are about.

    `service_error` is the error a service raised when these values were saved; it becomes an error of the form.
    """

    service_error: DomainError | None = None

    def clean(self) -> dict | None:
        cleaned = super().clean()
        if self.service_error:
            add_service_error(self, self.service_error)
        return cleaned

    def _post_clean(self) -> None:
        # Django shows a violated constraint above the form; here it is shown at its field when it is about one field.
        self.instance.validate_constraints = self._validate_at_fields
        try:
            super()._post_clean()  # type: ignore[misc]  # the stubs omit it
        finally:
            del self.instance.validate_constraints

    def _validate_at_fields(self, exclude: set[str] | None = None) -> None:
        errors: dict[str, list] = {}
        for constraint in self.instance._meta.constraints:
            try:
                constraint.validate(type(self.instance), self.instance, exclude=exclude)
            except ValidationError as error:
                errors.setdefault(self._field_of(constraint), []).extend(error.messages)
        if errors:
            raise ValidationError(errors)

    def _field_of(self, constraint: BaseConstraint) -> str:
        """Return the field at which the error of a constraint is shown: its `field`, else the only one it compares."""
        declared = getattr(constraint, "field", None)
        fields = ({declared} if declared else _fields_of(constraint)) & set(self.fields)
        return fields.pop() if len(fields) == 1 else NON_FIELD_ERRORS


class AutocompleteWidget(AutocompleteSelect):
    """An autocomplete select. A value that is not a valid key is an error of the field, not of the whole page."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict | None = None) -> list:
        return super().optgroups(name, [key for key in value if self._is_key(key)], attrs)

    def _is_key(self, value: Any) -> bool:
        if "\x00" in str(value):
            return False
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return True


class ForeignKeyField(forms.ModelChoiceField):
    """A foreign key. A value with a NUL character, which the driver rejects, is an invalid choice."""

    def to_python(self, value: Any) -> Any:
        if "\x00" in str(value):
            message = self.error_messages["invalid_choice"]
            raise ValidationError(message, code="invalid_choice", params={"value": value})
        return super().to_python(value)


class AutocompleteField(ForeignKeyField):
    """A foreign key chosen by searching.

    `AutocompleteField(Membership, "member")` searches as the list of members does.
    """

    def __init__(self, model: type[Model], field_name: str, *, queryset: QuerySet | None = None, **kwargs: Any) -> None:
        field = cast(ForeignKey, model._meta.get_field(field_name))
        kwargs.setdefault("label", str(field.verbose_name).capitalize())
        super().__init__(
            queryset=field.remote_field.model._default_manager.all() if queryset is None else queryset,
            to_field_name=field.target_field.attname,
            widget=AutocompleteWidget(field, admin.site, attrs={"style": "width: 100%"}),
            **kwargs,
        )

    def label_from_instance(self, obj: Model) -> str:
        return describe(obj)


def _fields_of(constraint: BaseConstraint) -> set[str]:
    """The names of the fields a constraint is about."""
    match constraint:
        case CheckConstraint():
            return set(Q(constraint.condition).referenced_base_fields)
        case UniqueConstraint() if constraint.expressions:
            expressions = cast(Iterable[Any], constraint.expressions)
            parts = (part for expression in expressions for part in expression.flatten())
            return {cast(Any, part).name for part in parts if isinstance(part, F)}
        case UniqueConstraint():
            return set(constraint.fields)
    return set()
