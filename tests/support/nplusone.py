"""N+1 queries raise in tests: a page or list of the API runs the same query for one row at most once.

Only reading requests are checked: an action on several rows runs a service for each of them.
"""

from django.conf import settings
from zeal import zeal_context
from zeal.constants import initialize_app_registry
from zeal.patch import patch

# One row that is read twice in a request, once by Django and once by the page, is no row-by-row query.
ALLOWED = [
    # Django reads an invalid session, such as one from before a change of password, a second time to delete it.
    {"model": "sessions.Session", "field": "get()"},
    # The caller, and the member whose page it is.
    {"model": "groups.Member", "field": "get()"},
    # allauth asks for the address of the one who logs in, for each mail.
    {"model": "account.EmailAddress", "field": "get()"},
]


class NPlusOneMiddleware:
    """Raise NPlusOneError when a GET loads related objects row by row."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method != "GET":
            return self.get_response(request)
        with zeal_context():
            return self.get_response(request)


def install() -> None:
    """Add the middleware to the settings of the tests. Call it after django.setup() and before the first request."""
    initialize_app_registry()
    patch()
    settings.ZEAL_ALLOWLIST = ALLOWED
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.NPlusOneMiddleware"]
