"""The template tag {% split_navigation %}."""

from typing import Any

from django import template

from missionsite import navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def split_navigation(context: template.Context, groups: list[dict]) -> dict[str, Any]:
    """The entries of the navigation: `primary` ones, and the groups of `more`; has_active: of those, one is open."""
    primary, more = navigation.split_navigation(context["request"], groups)
    has_active = any(item["active"] for group in more for item in group["items"])
    return {"primary": primary, "more": more, "has_active": has_active}
