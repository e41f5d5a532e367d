"""The Content-Security-Policy header: what a browser may load and run for a page.

Source: W3C, Content Security Policy Level 3.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_cache_control
from django.utils.safestring import SafeString, mark_safe
from unfold.settings import get_config
from unfold.utils import convert_color

HEADER = "Content-Security-Policy"
# Only this site: no inline scripts, no embedding in frames, no forms to other sites.
_COMMON = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Templates with inline styles, which are allowed by digest.
_OFFICE = "unfold/layouts/skeleton.html"
_STYLED = ("error.html", _OFFICE)
_STYLE = re.compile(r"(<style[^>]*>)(.*?)</style>", re.DOTALL)
# The inline style that htmx 2.0.4 adds at start.
_STYLE_OF_HTMX = (
    "      .htmx-indicator{opacity:0}"
    "      .htmx-request .htmx-indicator{opacity:1; transition: opacity 200ms ease-in;}"
    "      .htmx-request.htmx-indicator{opacity:1; transition: opacity 200ms ease-in;}      "
)


class ContentPolicyMiddleware:
    """Add the policy to responses that do not have one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault(HEADER, policy_for(request.path_info))
        return response


# What no page of this site uses, and passkeys, which only this site may ask for.
PERMISSIONS = (
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), midi=(), "
    "display-capture=(), browsing-topics=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"
)


class PrivateAnswersMiddleware:
    """Keep answers out of caches and of other sites.

    An answer to a session or a token is not stored, unless its view says otherwise. Other origins cannot load an answer
    as an image or a script.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        is_private = settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers
        if is_private and not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_store=True)
        return response


def policy_for(path: str) -> str:
    """The policy of the page at this path of the site."""
    if (office := _url("admin:index")) and path.startswith(office):
        return _back_office()
    return _api_docs() if path == _url("api:openapi-view") else _other_pages()


def _url(name: str) -> str | None:
    """The address of a view, None if there is no such view."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


@cache
def _back_office() -> str:
    """The policy of the back office.

    Alpine evaluates expressions in attributes without eval (docs/decisions/0044-no-eval.md); content entered by users
    must still never become such an attribute. Lists use style attributes for widths; a browser without style-src-elem
    allows all styles.
    """
    return _join(
        {
            "script-src": "'self'",
            "script-src-attr": "'none'",
            "style-src": "'self' 'unsafe-inline'",
            "style-src-elem": f"'self' {_styles()}",
            "style-src-attr": "'unsafe-inline'",
        }
    )


@cache
def _api_docs() -> str:
    """The policy of the API documentation: Swagger UI uses style attributes and images in its style sheet."""
    return _join({"style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:"})


@cache
def _other_pages() -> str:
    return _join({"style-src": f"'self' {_styles()}"})


def _join(more: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in (_COMMON | more).items())


@cache
def _inline_styles(template: str) -> list[tuple[str, str]]:
    """The tag and the text of each inline style of a template."""
    config = get_config()
    look = {
        "border_radius": config["BORDER_RADIUS"],
        "colors": {
            name: {weight: convert_color(value) for weight, value in weights.items()}
            for name, weights in config["COLORS"].items()
        },
    }
    source = cast(Any, get_template(template)).template.source
    return [(tag, Template(text).render(Context(look))) for tag, text in _STYLE.findall(source)]


@cache
def office_style() -> SafeString:
    """The colors of the back office as a style element, which is the same on every page."""
    return mark_safe("".join(f"{tag}{text}</style>" for tag, text in _inline_styles(_OFFICE)))  # noqa: S308  (settings)


@cache
def _styles() -> str:
    """The digests of the inline styles."""
    texts = [_STYLE_OF_HTMX, *(text for name in _STYLED for _tag, text in _inline_styles(name))]
    return " ".join(map(digest, texts))


def digest(style: str) -> str:
    """The source expression that allows this inline style."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
