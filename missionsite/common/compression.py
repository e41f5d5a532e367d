"""Response compression that is safe against BREACH. Source: RFC 9110, 8.4 and 12.5.3."""

import re

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

# Text formats. Images, fonts and archives are already compressed; an event stream must not be buffered.
_COMPRESSIBLE = re.compile(r"(?!text/event-stream)text/|application/(.+\+)?(json|xml|javascript)\b|image/svg\+xml")
_REJECTS_GZIP = re.compile(r"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
# Values of Sec-Fetch-Site for a request that a page of another site started.
_OTHER_SITES = ("cross-site", "same-site")


class CompressionMiddleware(GZipMiddleware):
    """Compress text with gzip where the client accepts it.

    BREACH finds a secret on a page by the length of compressed responses to requests from another site, each with a
    guess in the address. Responses to such requests are therefore not compressed; for browsers that do not send
    Sec-Fetch-Site, Django adds up to 100 random bytes. A file keeps its Content-Length, by which a client notices
    missing bytes; if another stream fails, the compressed stream ends without its trailer.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 304 and not _COMPRESSIBLE.match(response.get("Content-Type", "").lower()):
            return response
        # Also for short responses and 304.
        patch_vary_headers(response, ("Accept-Encoding",))
        if response.streaming and response.has_header("Content-Length"):
            return response
        if request.headers.get("Sec-Fetch-Site") in _OTHER_SITES:
            return response
        if _REJECTS_GZIP.search(request.headers.get("Accept-Encoding", "")):
            return response
        return super().process_response(request, response)
