"""The visitor's language: from the cookie of the language buttons, else from the browser."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
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
