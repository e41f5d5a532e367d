"""Problem documents: the format of all API errors. Source: RFC 9457."""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from missionsite.common.errors import RETRY_AFTER, DomainError, from_database, is_unavailable

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

# Default detail by status.
_DETAILS = {
    400: _("The request cannot be read."),
    401: _("Send a valid API token: Authorization: Bearer ms_…"),
    403: _("This is not allowed."),
    404: _("There is nothing at this address."),
    405: _("This method is not allowed at this address."),
    413: _("The request is too large."),
    429: _("Too many requests. Wait and try again."),
    500: _("Something went wrong. The log has the details under this request_id."),
    503: _("The database is unavailable or read-only at the moment. Try again later."),
}


class FieldProblem(Schema):
    """One error in the input."""

    pointer: str = Field(
        description="JSON pointer into the body, or `query/NAME`, `path/NAME`, `header/NAME`.", examples=["/member"]
    )
    detail: str = Field(examples=["Field required"])


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str = Field(description="A URI that identifies the error.", examples=["urn:missionsite:trust_too_low"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(
        description="Description of the error for people.",
        examples=["The mission asks for a trust score of 250; this member has 100, 150 too few."],
    )
    instance: str = Field(description="The requested address.", examples=["/api/missions/FE-M-00002/join"])
    code: str = Field(description="Stable error code for programs.", examples=["trust_too_low"])
    request_id: str = Field(description="The X-Request-ID of this response.", examples=["0f3a6d1b5f7c4b58"])
    errors: list[FieldProblem] = Field(default=[], description="Errors by field.")


def problem(
    request: HttpRequest,
    status: int,
    *,
    code: str | None = None,
    detail: str | Promise | None = None,
    errors: list[dict] | None = None,
    headers: dict[str, str] | None = None,
    extensions: dict | None = None,
) -> HttpResponse:
    """A problem response. Without `code` and `detail` they follow from the status.

    extensions: additional members of the document (RFC 9457, 3.2).
    """
    title = HTTPStatus(status).phrase
    code = code or title.lower().replace(" ", "_").replace("-", "_")
    document = {
        "type": f"urn:missionsite:{code}",
        "title": title,
        "status": status,
        "detail": str(detail or _DETAILS.get(status, title)),
        "instance": request.path,
        "code": code,
        "request_id": getattr(request, "id", ""),
        "errors": errors or [],
        **(extensions or {}),
    }
    # ASCII only, so that any character of the address can be encoded.
    body = json.dumps(document, cls=DjangoJSONEncoder)
    response = HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", 'Bearer realm="missionsite"')
    return response


class InputRejected(Exception):
    """The input is invalid. errors: list of pointer and detail."""

    def __init__(self, errors: list[dict], *, code: str = "input_rejected") -> None:
        self.errors, self.code = errors, code
        super().__init__(errors[0]["detail"])


def _pointer(location: tuple) -> str:
    """`/member` for the body (a JSON pointer), `query/limit` for a parameter."""
    source, *path = (str(part) for part in location)
    if source in ("form", "file"):
        # A part of a multipart body.
        return "/" + "/".join(path)
    if source == "body":
        # The first part is the name of the view's argument, which callers do not know.
        return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path[1:])
    return "/".join([source, *path])


def _input_rejected(request: HttpRequest, error: InputRejected) -> HttpResponse:
    return problem(request, 422, code=error.code, detail=_("The input is invalid."), errors=error.errors)


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"pointer": _pointer(each["loc"]), "detail": each["msg"]} for each in error.errors]
    return _input_rejected(request, InputRejected(errors))


def _rejected(request: HttpRequest, error: DomainError) -> HttpResponse:
    errors = [{"pointer": f"/{error.field}", "detail": error.message}] if error.field else []
    extra = {name: getattr(error, name, None) for name in ("headers", "extensions")}
    return problem(request, error.status, code=error.code, detail=error.message, errors=errors, **extra)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # An error of the body parser is the cause of a generic 400.
    if isinstance(error.__cause__, InputRejected):
        return _input_rejected(request, error.__cause__)
    if error.status_code == 400 and isinstance(error.__cause__, ValueError | RecursionError):
        return problem(request, 400, code="invalid_json", detail=_("The body is not valid JSON."))
    return problem(request, error.status_code, detail=error.message if error.status_code == 403 else None)


def _database_error(request: HttpRequest, error: DatabaseError | InterfaceError) -> HttpResponse:
    if isinstance(error, DatabaseError) and (rejection := from_database(error)):
        return _rejected(request, rejection)
    return _server_error(request, error)


def _server_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log the error without showing it to the caller."""
    if is_unavailable(error):
        logger.error("The database is unavailable or read-only", exc_info=error)
        return problem(request, 503, code="database_unavailable", headers={"Retry-After": str(RETRY_AFTER)})
    logger.error("Error in %s %s", request.method, request.path, exc_info=error)
    return problem(request, 500)


def _invalid_form(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(request, 400, code="invalid_form", detail=_("The body is not a valid multipart form."))


HANDLERS = {
    DomainError: _rejected,
    InputRejected: _input_rejected,
    ValidationError: _validation_error,
    HttpError: _http_error,
    Http404: lambda request, error: problem(request, 404, code="not_found", detail=str(error) or None),
    MultiPartParserError: _invalid_form,
    # A form with too many parts or an unknown encoding, and an incomplete body.
    SuspiciousOperation: lambda request, error: problem(request, 400),
    BadRequest: lambda request, error: problem(request, 400),
    UnreadablePostError: lambda request, error: problem(request, 400),
    RequestDataTooBig: lambda request, error: problem(request, 413, code="body_too_large"),
    DatabaseError: _database_error,
    InterfaceError: _database_error,
    Exception: _server_error,
}


class ProblemMiddleware:
    """Replace error pages below /api/ by problem documents, and reject requests without HTTPS.

    A redirect would hide from a program that it sends its token unencrypted.
    """

    prefix = "/api/"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and request.path_info.startswith(self.prefix):
            detail = _("Use HTTPS. A token that was sent without it is no longer secret: revoke it.")
            return problem(request, 403, code="https_required", detail=detail)
        response = self.get_response(request)
        if (
            response.status_code < 400
            or not request.path_info.startswith(self.prefix)
            or response.get("Content-Type", "").startswith(CONTENT_TYPE)
        ):
            return response
        headers = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        document = problem(request, response.status_code, headers=headers)
        # Django logs each response with an error once.
        cast(Any, document)._has_been_logged = getattr(response, "_has_been_logged", False)
        return document
