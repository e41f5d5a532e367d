"""The Content-Security-Policy of every answer: what a browser may load and run for it, whatever stands on the page.

Source: W3C, Content Security Policy Level 3.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from unfold.settings import get_config
from unfold.utils import convert_color

HEADER = "Content-Security-Policy"
# Nothing from elsewhere, no script in the page, in nobody's frame, no form to elsewhere.
_EVERYWHERE = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Templates with styles in the page, which are allowed one by one.
_STYLED = ("error.html", "unfold/layouts/skeleton.html")
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
# What htmx 2.0.4 writes into the page when it starts.
_STYLE_OF_HTMX = (
    "      .htmx-indicator{opacity:0}"
    "      .htmx-request .htmx-indicator{opacity:1; transition: opacity 200ms ease-in;}"
    "      .htmx-request.htmx-indicator{opacity:1; transition: opacity 200ms ease-in;}      "
)


class ContentPolicyMiddleware:
    """Give every answer a policy, unless its view gave it one."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault(HEADER, policy_for(request.path_info))
        return response


def policy_for(path: str) -> str:
    """The policy of the page at this path of the site."""
    if (office := _address("admin:index")) and path.startswith(office):
        return _back_office()
    return _api_docs() if path == _address("api:openapi-view") else _elsewhere()


def _address(name: str) -> str | None:
    """Where something is; None on a site without it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


@cache
def _back_office() -> str:
    """Alpine, which the back office is made with, evaluates the expressions in its attributes: hence unsafe-eval.

    What others wrote must therefore bring no attribute onto a page. Lists get widths by style attributes; a browser
    that knows nothing of style-src-elem allows all styles.
    """
    return _written(
        {
            "script-src": "'self' 'unsafe-eval'",
            "script-src-attr": "'none'",
            "style-src": "'self' 'unsafe-inline'",
            "style-src-elem": f"'self' {_styles()}",
            "style-src-attr": "'unsafe-inline'",
        }
    )


@cache
def _api_docs() -> str:
    """Swagger UI draws with style attributes and with images in its style sheet."""
    return _written({"style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:"})


@cache
def _elsewhere() -> str:
    return _written({"style-src": f"'self' {_styles()}"})


def _written(more: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in (_EVERYWHERE | more).items())


@cache
def _styles() -> str:
    """The digests of the styles that stand in pages themselves."""
    config = get_config()
    look = {
        "border_radius": config["BORDER_RADIUS"],
        "colors": {
            name: {weight: convert_color(value) for weight, value in weights.items()}
            for name, weights in config["COLORS"].items()
        },
    }
    texts = [_STYLE_OF_HTMX]
    for name in _STYLED:
        source = get_template(name).template.source
        texts += [Template(style).render(Context(look)) for style in _STYLE.findall(source)]
    return " ".join(map(digest, texts))


def digest(style: str) -> str:
    """The source that allows this style, and no other, to stand in a page."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
