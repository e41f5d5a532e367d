"""Response compression, and its exceptions against BREACH."""

import csv
import gzip
import io
import zlib

import pytest
from django.http import FileResponse, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import reverse

from missiondeck.services.feeds import create_feed
from missionsite.common.compression import CompressionMiddleware
from tests.missiondeck.workspace_helpers import make_mission
from tests.site.world import first_bytes
from tests.support.admin import client, staff
from tests.support.factories.directory import EntryFactory

LONG = "<p>The same words again and again.</p>" * 100


def answer(response: HttpResponse, *, accepts: str | None = "gzip, deflate, br, zstd", **headers) -> HttpResponse:
    """The response after the middleware, for a browser that accepts these encodings."""
    sent = {"accept-encoding": accepts} if accepts is not None else {}
    request = RequestFactory().get("/", headers=sent | {name.replace("_", "-"): each for name, each in headers.items()})
    return CompressionMiddleware(lambda request: response)(request)


def varies(response: HttpResponse) -> bool:
    return "Accept-Encoding" in response.get("Vary", "")


class TestPage:
    def test_page_is_compressed_if_accepted(self):
        response = answer(HttpResponse(LONG))
        assert response["Content-Encoding"] == "gzip"
        assert gzip.decompress(response.content).decode() == LONG
        assert int(response["Content-Length"]) == len(response.content) < len(LONG) / 10
        assert varies(response)

    @pytest.mark.parametrize(
        "accepts", [None, "", "identity", "br, zstd", "gzip;q=0", "gzip; q=0.000, *", "deflate, GZIP;Q=0"]
    )
    def test_page_is_not_compressed_for_other_clients(self, accepts):
        response = answer(HttpResponse(LONG), accepts=accepts)
        assert "Content-Encoding" not in response
        assert response.content.decode() == LONG
        # A cache in between keeps both apart.
        assert varies(response)

    @pytest.mark.parametrize("accepts", ["gzip;q=0.5", "br;q=0, gzip", "gzip;q=1.0, identity;q=0"])
    def test_gzip_quality_zero_is_respected(self, accepts):
        assert answer(HttpResponse(LONG), accepts=accepts)["Content-Encoding"] == "gzip"

    @pytest.mark.seed("site compressed pages, safe against BREACH")
    def test_compressed_length_is_random(self):
        """Source: "Heal the Breach", IEEE Access 2022: a random length hides how well a guess was compressed."""
        assert len({len(answer(HttpResponse(LONG)).content) for _turn in range(60)}) > 5

    @pytest.mark.seed("site compressed pages, safe against BREACH")
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_cross_site_request_is_not_compressed(self, site):
        response = answer(HttpResponse(LONG), sec_fetch_site=site)
        assert "Content-Encoding" not in response
        assert varies(response)

    @pytest.mark.parametrize("site", ["same-origin", "none"])
    def test_same_site_request_is_compressed(self, site):
        assert answer(HttpResponse(LONG), sec_fetch_site=site)["Content-Encoding"] == "gzip"

    def test_short_page_is_not_compressed(self):
        response = answer(HttpResponse("x" * 199))
        assert "Content-Encoding" not in response

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/problem+json", "text/calendar; charset=utf-8", "image/svg+xml", "text/plain"],
    )
    def test_text_formats_are_compressed(self, content_type):
        assert answer(HttpResponse(LONG, content_type=content_type))["Content-Encoding"] == "gzip"

    @pytest.mark.parametrize("content_type", ["image/png", "application/zip", "font/woff2", "application/octet-stream"])
    def test_binary_formats_are_not_compressed(self, content_type):
        response = answer(HttpResponse(LONG, content_type=content_type))
        assert "Content-Encoding" not in response
        assert response.content.decode() == LONG

    def test_compressed_response_is_unchanged(self):
        packed = gzip.compress(LONG.encode())
        response = answer(HttpResponse(packed, headers={"Content-Encoding": "gzip"}))
        assert response.content == packed

    def test_response_without_content_type_is_unchanged(self):
        response = HttpResponse(LONG)
        del response["Content-Type"]
        assert "Content-Encoding" not in answer(response)


class TestTag:
    def test_etag_of_compressed_response_is_weak(self):
        response = answer(HttpResponse(LONG, headers={"ETag": '"abc"'}))
        assert response["ETag"] == 'W/"abc"'

    def test_not_modified_has_headers_of_full_response(self):
        """Source: RFC 9110, 15.4.5."""
        unchanged = HttpResponseNotModified(headers={"ETag": 'W/"abc"'})
        response = answer(unchanged)
        assert (response.content, response["ETag"]) == (b"", 'W/"abc"')
        assert "Content-Encoding" not in response
        assert varies(response)

    @pytest.mark.django_db
    def test_calendar_etag_is_stable(self, client):
        make_mission()
        _, secret = create_feed(actor=staff("Delivery Lead"), name="x")
        address = reverse("deck_feed", args=[secret])
        plain = client.get(address)
        packed = client.get(address, headers={"accept-encoding": "gzip"})
        assert packed["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.content) == plain.content
        assert packed["Content-Type"] == plain["Content-Type"] == "text/calendar; charset=utf-8"
        assert packed["ETag"] == plain["ETag"]
        for accepts in ({}, {"accept-encoding": "gzip"}):
            unchanged = client.get(address, headers={"if-none-match": packed["ETag"]} | accepts)
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged["ETag"] == packed["ETag"]
            assert varies(unchanged)


class TestStream:
    def test_event_stream_is_not_buffered(self):
        frames = [b"retry: 2000\n\n", b"event: ready\ndata: {}\n\n"]
        response = answer(StreamingHttpResponse(iter(frames), content_type="text/event-stream"))
        assert "Content-Encoding" not in response
        assert list(response.streaming_content) == frames

    @pytest.mark.django_db
    def test_export_keeps_content_length(self):
        EntryFactory.create_batch(30)
        response = client("Community Manager").get(
            "/admin/groups/communitymember/export/", headers={"accept-encoding": "gzip"}
        )
        assert "Content-Encoding" not in response
        content = b"".join(response.streaming_content)
        assert len(content) == int(response["Content-Length"])
        assert len(list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))) == 30

    @pytest.mark.seed("site compressed pages, safe against BREACH")
    @pytest.mark.django_db
    def test_interrupted_stream_is_incomplete(self):
        closed = []

        class Lines:
            """A stream that breaks after its first line."""

            def __iter__(self):
                yield b"a,b\n" * 10_000
                raise RuntimeError("the database went away")

            def close(self) -> None:
                closed.append(True)

        response = answer(StreamingHttpResponse(Lines(), content_type="text/csv"))
        received = []
        with pytest.raises(RuntimeError, match="went away"):
            received.extend(response.streaming_content)
        unpacking = zlib.decompressobj(wbits=31)
        unpacking.decompress(b"".join(received))
        # Its end is missing: no program takes what came for the whole.
        assert not unpacking.eof
        response.close()
        assert closed == [True]

    def test_binary_file_keeps_content_length(self):
        response = answer(FileResponse(io.BytesIO(b"\x00" * 5_000), content_type="application/pdf"))
        assert response["Content-Length"] == "5000"
        assert b"".join(response.streaming_content) == b"\x00" * 5_000


@pytest.mark.django_db
class TestSite:
    @pytest.mark.parametrize(
        "address",
        [
            "/admin/",
            "/admin/groups/mission/",
            "/admin/groups/mission/add/",
            "/api/docs",
            "/api/openapi.json",
            "/nothing",
        ],
    )
    def test_pages_are_compressed(self, address):
        response = client("Administrator").get(address, headers={"accept-encoding": "gzip, br"})
        assert response["Content-Encoding"] == "gzip", address
        assert varies(response)
        assert b"<" in gzip.decompress(response.content) or response["Content-Type"].startswith("application/json")
        assert response["Content-Security-Policy"]
        assert response["X-Request-ID"]

    def test_live_page_is_not_compressed(self):
        response = client("Administrator").get(
            reverse("admin:fallback_review_events"), headers={"accept-encoding": "gzip"}
        )
        assert "Content-Encoding" not in response
        assert first_bytes(response).startswith(b"retry: ")
