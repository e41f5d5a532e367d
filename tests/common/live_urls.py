"""Test URLs: a live page whose channels are in its address, and one that shows the open streams."""

import os
import threading

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

from missionsite.common import live

# Closed browsers are noticed by a heartbeat; the tests do not wait fifteen seconds for each.
live.HEARTBEAT = float(os.environ.get("TEST_HEARTBEAT", live.HEARTBEAT))


def one(sql: str):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def page(request: HttpRequest):
    """`?channel=a&channel=b`, and `&number=5` for what has this number only, looked up in the database."""
    one("SELECT 1")  # As finding out who asks would.
    number = request.GET.get("number")

    def accepts(channel: str, payload: dict) -> bool:
        return payload.get("number") == one(f"SELECT {int(number)}")

    return live.stream(request, channels=request.GET.getlist("channel"), accepts=accepts if number else None)


def state(request: HttpRequest) -> JsonResponse:
    """How many threads of this process listen, and for how many streams."""
    listening = sum(thread.name == "live" for thread in threading.enumerate())
    return JsonResponse({"listening": listening, "streams": len(live._listener._streams)})


urlpatterns = [path("live", page), path("state", state)]
