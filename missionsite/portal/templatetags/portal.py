from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A number with the thousands separator of the visitor's language."""
    return number_format(number, force_grouping=True)
