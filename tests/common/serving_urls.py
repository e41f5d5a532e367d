"""The site's URLs, and test URLs that echo a request, query the database, or send a large file."""

import os

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from missionsite.common.downloads import download
from missionsite.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@csrf_exempt
def echo(request: HttpRequest, rest: str = "") -> JsonResponse:
    shown = {name: value for name, value in request.META.items() if name.startswith(("HTTP_", "REMOTE_", "CONTENT_"))}
    path_info = request.path_info.encode(errors="surrogateescape").hex()
    return JsonResponse({"body": request.body.decode(), "path": path_info, "query": request.GET, "meta": shown})


def state(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"process": os.getpid()})


def ask(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return JsonResponse({"answer": cursor.fetchone()})


def large(request: HttpRequest):
    kilobytes = int(request.GET["kilobytes"])
    return download(lambda: ("x" * 1023 + "\n" for _ in range(kilobytes)), name="large.txt", content_type="text/plain")


def fail(request: HttpRequest, code: str) -> JsonResponse:
    raise ValueError("a fault of the site")


urlpatterns = [
    path("join/<code>/fail", fail),
    path("download", large),
    path("echo", echo),
    path("echo/<path:rest>", echo),
    path("state", state),
    path("ask", ask),
    *urlpatterns,
]
