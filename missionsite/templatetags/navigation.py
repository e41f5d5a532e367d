"""The template tag {% navigation %}."""

from typing import Any

from django import template

from missionsite.navigation import render_navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    """The entries of the navigation as HTML: see render_navigation."""
    return render_navigation(context["request"])
