"""The template tag {% form_key %}."""

from django import template
from django.utils.html import format_html

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key

register = template.Library()


@register.simple_tag
def form_key() -> str:
    """A hidden input with a new form key, for every form that creates an object."""
    return format_html('<input type="hidden" name="{}" value="{}">', FORM_KEY_FIELD, new_form_key())
