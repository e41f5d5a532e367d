"""Which language a visitor reads: chosen by a button and kept in a cookie, else what the browser asks for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation.trans_real import parse_accept_lang_header

COOKIE = "missionsite_language"
A_YEAR = 365 * 24 * 60 * 60
# Code of Django, and what the language calls itself.
LANGUAGES = {"en": "English", "pt-br": "Português (Brasil)"}
DEFAULT = "en"


def language_of(request: HttpRequest) -> str:
    """A key of LANGUAGES. Every kind of Portuguese is served by the one there is."""
    chosen = request.COOKIES.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for wanted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        main = wanted.partition("-")[0]
        for code in LANGUAGES:
            if main == code.partition("-")[0]:
                return code
    return DEFAULT


def remember(response: HttpResponse, code: str) -> None:
    """Keep the choice in the visitor's browser."""
    response.set_cookie(
        COOKIE, code, max_age=A_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
