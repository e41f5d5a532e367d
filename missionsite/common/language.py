"""The visitor's language: from the cookie of the language buttons, else from the browser.

One rule for the members' pages and the back office. The language of messages to a member is another one: that of the
profile. The API, exports, logs and jobs are in English.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

COOKIE = "missionsite_language"
COOKIE_SECONDS = 365 * 24 * 60 * 60
# Django's code, and the language's own name.
LANGUAGES = {"en": "English", "pt-br": "Português (Brasil)"}
DEFAULT = "en"


def cookie_name() -> str:
    """Read when it is used: error pages are imported before the settings are complete."""
    return f"{settings.COOKIE_PREFIX}{COOKIE}"


def get_language(request: HttpRequest) -> str:
    """A key of LANGUAGES. Every variant of Portuguese gives pt-br."""
    chosen = request.COOKIES.get(cookie_name())
    if chosen in LANGUAGES:
        return chosen
    for wanted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        main = wanted.partition("-")[0]
        for code in LANGUAGES:
            if main == code.partition("-")[0]:
                return code
    return DEFAULT


def set_language_cookie(response: HttpResponse, code: str) -> None:
    """Remember the language in the visitor's browser."""
    response.set_cookie(
        cookie_name(),
        code,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


class OfficeLanguageMiddleware:
    """The pages of the back office in the visitor's language; those of members choose it by their decorator."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        language = get_language(request)
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response
