"""The frame of every page of this door: language, headers, and how often an address may knock."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from missionsite.common.addresses import network_of
from missionsite.common.api.limits import count_request, uncount_request
from missionsite.portal.language import LANGUAGES, language_of

View = Callable[..., HttpResponse]
HEADERS = {
    # Nothing from elsewhere, nothing inline, in nobody's frame, no form to elsewhere.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # A code stands in the address of the registration page.
    "Referrer-Policy": "same-origin",
}


def page(view: View) -> View:
    """A page anyone may ask for, in the visitor's language; the rest of the site stays English."""

    @wraps(view)
    def answer(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        language = language_of(request)
        with translation.override(language):
            response = view(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response[name] = value
        response["Content-Language"] = language
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        add_never_cache_headers(response)
        return response

    return answer


def own_page(view: View) -> View:
    """A page for people who are logged in; others log in first."""

    @wraps(view)
    def answer(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse('portal:login')}?{query}")
        return view(request, *args, **kwargs)

    return page(answer)


def show(request: HttpRequest, template: str, context: dict | None = None, *, status: int = 200) -> HttpResponse:
    """A page of this door. `return_to` in the context: where a change of language leads; this page when left out."""
    frame = {"languages": LANGUAGES, "language": translation.get_language(), "return_to": request.get_full_path()}
    return render(request, f"portal/{template}.html", {**frame, **(context or {})}, status=status)


def too_many(request: HttpRequest, purpose: str, at_most: int) -> HttpResponse | None:
    """Count a request of this network; the page that rejects it where that is one too many in this minute.

    at_most: 0 is no limit.
    """
    allowance = count_request(f"{purpose}:{network_of(request)}:", at_most)
    if allowance is None or allowance.allowed:
        return None
    response = show(request, "too_many", {"seconds": allowance.retry_after}, status=429)
    response["Retry-After"] = str(allowance.retry_after)
    return response


def not_counted(request: HttpRequest, purpose: str) -> None:
    """Take back a request of this network that `too_many` counted."""
    uncount_request(f"{purpose}:{network_of(request)}:")


def safe_next(request: HttpRequest) -> str:
    """Where `next` of a form or an address leads: an address of this site from its root on, else one's own page."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    here = {request.get_host()}
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=here, require_https=request.is_secure()
    ):
        return wanted
    return reverse("portal:me")
