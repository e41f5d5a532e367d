"""The format of log lines, and the access log with the metrics of requests."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from missionsite.common.addresses import client_address
from missionsite.common.metrics import record_request

access = logging.getLogger("missionsite.access")
# The route of static files, and of addresses that no route matches.
NO_ROUTE = "none"
_ESCAPED = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029) if code != 9}
# Fields of a record that are not extra. Source: Python manual, logging, LogRecord attributes.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "request_id", "request"}


class LineFormatter(logging.Formatter):
    """One line: time in UTC, level, logger, request_id and message, and after it the traceback.

    Control characters of the message are escaped, so that no caller can write a line of their own.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(_ESCAPED)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, request_id, message, the extra fields, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class AccessLogMiddleware:
    """Count each request, and log it if ACCESS_LOG is on. Addresses of probes are answered before this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        seconds = time.monotonic() - began
        match = request.resolver_match
        route = f"/{match.route}" if match else NO_ROUTE
        method, status = request.method or "", response.status_code
        record_request(method=method, route=route, status=status, seconds=seconds)
        if settings.ACCESS_LOG:
            # The path is last, where the filter of secrets may cut it, and has no query, which may contain names.
            fields = {"method": method, "status": status, "seconds": round(seconds, 4), "route": route}
            fields["address"] = str(client_address(request) or "-")
            text = (status, seconds * 1000, method, request.path_info)
            access.info("%s %.0f ms %s %s", *text, extra=fields)
        return response
