"""Errors of custom fields and their values."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.errors import DomainError


class CustomValueInvalid(DomainError):
    message = _("This value does not fit the kind of the field.")
    code = "custom_value_invalid"
    constraint = "custom_values_fit_kind"
    field = "value"
    status = 422


class CustomFieldUnknown(DomainError):
    message = _("This is no field of members, or no field of missions.")
    code = "custom_field_unknown"
    constraint = "custom_values_target_fits"
    status = 422


class CustomFieldInUse(DomainError):
    message = _("The field has values, so its kind cannot change. Add another field, and archive this one.")
    code = "custom_field_in_use"
    constraint = "custom_fields_has_values"
    field = "kind"


class CustomChoiceInUse(DomainError):
    message = _("A choice that you removed is in use. Change those values first.")
    code = "custom_choice_in_use"
    constraint = "custom_fields_choice_in_use"
    field = "choices"
