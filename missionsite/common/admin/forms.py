"""Forms of the back office: rejections at the field they are about, pickers that search."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import CheckConstraint, Field, Model, UniqueConstraint
from django.db.models.expressions import F

from missionsite.common.admin.command import describe
from missionsite.common.errors import DomainError


def reject(form: forms.Form, rejection: DomainError) -> None:
    """Put a rejection where a person looks for it: at its field, else above the form."""
    form.add_error(rejection.field if rejection.field in form.fields else None, rejection.message)


class ServiceForm(forms.ModelForm):
    """A model form whose rules speak at the field they are about.

    `rejection` is what a service answered when these values were saved; it becomes an error of the form.
    """

    rejection: DomainError | None = None

    def clean(self) -> dict:
        cleaned = super().clean()
        if rejection := self.rejection:
            reject(self, rejection)
        return cleaned

    def _post_clean(self) -> None:
        # Django says a broken constraint above the form; here it is said at its field where it is about one.
        self.instance.validate_constraints = self._check_constraints
        try:
            super()._post_clean()
        finally:
            del self.instance.validate_constraints

    def _check_constraints(self, exclude: set[str] | None = None) -> None:
        errors: dict[str, list] = {}
        for constraint in self.instance._meta.constraints:
            try:
                constraint.validate(type(self.instance), self.instance, exclude=exclude)
            except ValidationError as error:
                named = _fields_of(constraint) & set(self.fields)
                errors.setdefault(named.pop() if len(named) == 1 else NON_FIELD_ERRORS, []).extend(error.messages)
        if errors:
            raise ValidationError(errors)


class Picker(AutocompleteSelect):
    """The widget of a picker; what is no key at all is an error of the field, not of the page that shows it."""

    def optgroups(self, name: str, value: list, attr=None) -> list:
        return super().optgroups(name, [key for key in value if self._is_key(key)], attr)

    def _is_key(self, value) -> bool:
        if "\x00" in str(value):
            return False
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return True


class Choice(forms.ModelChoiceField):
    """A foreign key; a NUL, which the driver would not even ask the database about, is no choice."""

    def to_python(self, value):
        if "\x00" in str(value):
            words = self.error_messages["invalid_choice"]
            raise ValidationError(words, code="invalid_choice", params={"value": value})
        return super().to_python(value)


class PickOne(Choice):
    """A foreign key chosen by searching: `PickOne(Membership, "member")` searches as the list of members does."""

    def __init__(self, model: type[Model], field_name: str, *, queryset=None, **kwargs) -> None:
        field: Field = model._meta.get_field(field_name)
        kwargs.setdefault("label", str(field.verbose_name).capitalize())
        super().__init__(
            queryset=field.remote_field.model._default_manager.all() if queryset is None else queryset,
            to_field_name=field.target_field.attname,
            widget=Picker(field, admin.site, attrs={"style": "width: 100%"}),
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
