from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A number with its thousands apart, as the visitor's language writes them."""
    return number_format(number, force_grouping=True)
