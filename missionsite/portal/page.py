"""Decorators and helpers of all pages: language, headers, log-in and rate limits."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from groups.models import Member
from missionsite.common.addresses import network_of
from missionsite.common.api.limits import count_request, uncount_request
from missionsite.common.language import LANGUAGES, get_language

View = Callable[..., HttpResponse]
HEADERS = {
    # Only this site: nothing inline, no embedding in frames, no forms to other sites.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # The address of the registration page contains a code.
    "Referrer-Policy": "same-origin",
}


def page(view: View) -> View:
    """Decorator of a page in the visitor's language."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        language = get_language(request)
        with translation.override(language):
            response = view(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response[name] = value
        response["Content-Language"] = language
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        add_never_cache_headers(response)
        return response

    return wrapper


def hide_referrer(view: View) -> View:
    """Never send the address as Referer: anyone who has it has what its secret allows."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        # Not no-referrer: then the browser sends no origin either, and the site rejects the form.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return wrapper


def member_page(view: View) -> View:
    """Decorator of a page for logged-in members; others are redirected to the log-in page."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('portal:login')}?{query}")
        return view(request, *args, **kwargs)

    return page(wrapper)


def current_member(request: HttpRequest) -> Member:
    """The member who is logged in, on a member_page."""
    return cast(Member, request.user)


def render_page(request: HttpRequest, template: str, context: dict | None = None, *, status: int = 200) -> HttpResponse:
    """Render a page. `return_to` in the context: the address after changing the language, this page by default."""
    frame = {"languages": LANGUAGES, "language": translation.get_language(), "return_to": request.get_full_path()}
    return render(request, f"portal/{template}.html", {**frame, **(context or {})}, status=status)


def rate_limit_response(request: HttpRequest, purpose: str, at_most: int) -> HttpResponse | None:
    """Count a request of this network. Returns the error page if it is over the limit per minute, else None.

    at_most: 0 for no limit.
    """
    allowance = count_request(f"{purpose}:{network_of(request)}:", at_most)
    if allowance is None or allowance.allowed:
        return None
    response = render_page(request, "too_many_requests", {"seconds": allowance.retry_after}, status=429)
    response["Retry-After"] = str(allowance.retry_after)
    return response


def uncount(request: HttpRequest, purpose: str) -> None:
    """Uncount a request of this network that `rate_limit_response` counted."""
    uncount_request(f"{purpose}:{network_of(request)}:")


def safe_next(request: HttpRequest, default: str = "portal:me") -> str:
    """The `next` parameter if it is an absolute path of this site, else the page named `default`."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    here = {request.get_host()}
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=here, require_https=request.is_secure()
    ):
        return wanted
    return reverse(default)
