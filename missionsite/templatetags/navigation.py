"""The template tags {% navigation %} and {% view_bar %}."""

from typing import Any

from django import template

from missionsite import saved_views
from missionsite.navigation import render_navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    """The entries of the navigation as HTML: see render_navigation."""
    return render_navigation(context["request"])


@register.simple_tag(takes_context=True)
def view_bar(context: template.Context) -> dict[str, Any]:
    """The saved views of a list, and what the form that saves one needs."""
    return saved_views.view_bar(context["request"])
