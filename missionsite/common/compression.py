"""Compression of answers, without telling another site what stands on a page. Source: RFC 9110, 8.4 and 12.5.3."""

import re

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

# Text in all its kinds. Pictures, fonts and archives are compressed already; an event stream has to go out at once.
_COMPRESSIBLE = re.compile(r"(?!text/event-stream)text/|application/(.+\+)?(json|xml|javascript)\b|image/svg\+xml")
_REFUSES_GZIP = re.compile(r"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
# Values of Sec-Fetch-Site for a request that a page of another site started.
_OTHER_SITES = ("cross-site", "same-site")


class CompressionMiddleware(GZipMiddleware):
    """Compress text with gzip where the client accepts it.

    BREACH finds a secret on a page by the length of compressed answers, which another site's page asks for with one
    guess each in the address. Answers to such requests are therefore not compressed, and Django adds up to 100 random
    bytes to all others for browsers that do not say who asks. A file keeps its length, by which a client sees that
    it was cut; an exception in another stream stays one: the compressed stream ends without its trailer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code != 304 and not _COMPRESSIBLE.match(response.get("Content-Type", "").lower()):
            return response
        # Also of answers that are short, or empty since nothing was modified.
        patch_vary_headers(response, ("Accept-Encoding",))
        if response.streaming and response.has_header("Content-Length"):
            return response
        if request.headers.get("Sec-Fetch-Site") in _OTHER_SITES:
            return response
        if _REFUSES_GZIP.search(request.headers.get("Accept-Encoding", "")):
            return response
        return super().process_response(request, response)
