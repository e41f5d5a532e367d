"""Every URL of the site, read from the URL resolver, for the matrix and the tests of invalid input."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REGEX_PART = re.compile(r"\(\?P<(\w+)>[^()]*\)")
_PATH_PART = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One URL pattern. template: as in `admin/groups/member/<object_id>/change/`. name: of its last part."""

    template: str
    name: str

    @property
    def is_api(self) -> bool:
        return self.template.startswith("api/")

    @property
    def parts(self) -> list[str]:
        """Return the names of the parts to fill in."""
        return _PATH_PART.findall(self.template)

    def fill(self, **values) -> str:
        """Return the URL with its parts filled in; values are not quoted."""
        return "/" + _PATH_PART.sub(lambda part: str(values[part[1]]), self.template)


def routes(urlconf: str | None = None) -> list[Route]:
    """Return every route of the site (or of another URLconf), in the order of resolution."""
    return list(_walk(get_resolver(urlconf).url_patterns, ""))


def _walk(patterns, prefix: str) -> Iterator[Route]:
    for entry in patterns:
        template = prefix + _readable(entry)
        if isinstance(entry, URLPattern):
            yield Route(template, entry.name or "")
        else:
            yield from _walk(entry.url_patterns, template)


def _readable(entry) -> str:
    text = str(entry.pattern)
    if isinstance(entry.pattern, RegexPattern):
        return _REGEX_PART.sub(r"<\1>", text).strip("^$")
    return _PATH_PART.sub(r"<\1>", text)


def bulk_actions(request) -> set[tuple[str, str]]:
    """Return every action of every list that is available in the request: `("groups/member", "deactivate")`."""
    return {
        (f"{model._meta.app_label}/{model._meta.model_name}", action)
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }
