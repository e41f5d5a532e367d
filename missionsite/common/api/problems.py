"""Problem documents: every rejection of the API in one shape. Source: RFC 9457."""

import json
import logging
from http import HTTPStatus

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from missionsite.common.errors import RETRY_AFTER, DomainError, from_database, is_unavailable

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

# What a status says where nothing more particular is known.
_WORDS = {
    400: "The request cannot be read.",
    401: "Send a valid API token: Authorization: Bearer ms_…",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not answer to this method.",
    413: "The request is too large.",
    429: "Too many requests; wait and try again.",
    500: "Something went wrong on our side. It is recorded under this request_id.",
    503: "The database does not answer at the moment, or takes no changes; try again.",
}


class FieldProblem(Schema):
    """One thing wrong with the input."""

    pointer: str = Field(
        description="JSON pointer into the body, or `query/NAME`, `path/NAME`, `header/NAME`.", examples=["/member"]
    )
    detail: str = Field(examples=["Field required"])


class Problem(Schema):
    """A rejection (RFC 9457)."""

    type: str = Field(description="A URI that names the kind of problem.", examples=["urn:missionsite:trust_too_low"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(
        description="What is wrong, for a person.",
        examples=["The mission asks for a trust score of 250; this member has 100, 150 too few."],
    )
    instance: str = Field(description="The address that was asked.", examples=["/api/missions/FE-M-00002/join"])
    code: str = Field(description="What is wrong, for a program; stable.", examples=["trust_too_low"])
    request_id: str = Field(description="The X-Request-ID of this response.", examples=["0f3a6d1b5f7c4b58"])
    errors: list[FieldProblem] = Field(default=[], description="What is wrong, field by field.")


def problem(
    request: HttpRequest,
    status: int,
    *,
    code: str | None = None,
    detail: str | None = None,
    errors: list[dict] | None = None,
    headers: dict[str, str] | None = None,
    extensions: dict | None = None,
) -> HttpResponse:
    """The response that says what is wrong. Without `code` and `detail` they follow from the status.

    extensions: what a program needs to know beside that; members of the document of their own (RFC 9457, 3.2).
    """
    title = HTTPStatus(status).phrase
    code = code or title.lower().replace(" ", "_").replace("-", "_")
    document = {
        "type": f"urn:missionsite:{code}",
        "title": title,
        "status": status,
        "detail": detail or _WORDS.get(status, title),
        "instance": request.path,
        "code": code,
        "request_id": getattr(request, "id", ""),
        "errors": errors or [],
        **(extensions or {}),
    }
    # ASCII only, so that whatever was in the address can be written.
    response = HttpResponse(json.dumps(document), status=status, content_type=CONTENT_TYPE, headers=headers)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", 'Bearer realm="missionsite"')
    return response


class InputRejected(Exception):
    """The input cannot be used; carries what is wrong where."""

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
        # The first part is the name of the view's argument, which the caller does not know.
        return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path[1:])
    return "/".join([source, *path])


def _input_rejected(request: HttpRequest, error: InputRejected) -> HttpResponse:
    return problem(request, 422, code=error.code, detail="The input was not accepted.", errors=error.errors)


def _not_valid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"pointer": _pointer(each["loc"]), "detail": each["msg"]} for each in error.errors]
    return _input_rejected(request, InputRejected(errors))


def _rejected(request: HttpRequest, error: DomainError) -> HttpResponse:
    errors = [{"pointer": f"/{error.field}", "detail": error.message}] if error.field else []
    beside = {name: getattr(error, name, None) for name in ("headers", "extensions")}
    return problem(request, error.status, code=error.code, detail=error.message, errors=errors, **beside)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # The body parser's own complaint arrives as the cause of a plain 400.
    if isinstance(error.__cause__, InputRejected):
        return _input_rejected(request, error.__cause__)
    if error.status_code == 400 and isinstance(error.__cause__, ValueError | RecursionError):
        return problem(request, 400, code="invalid_json", detail="The body is not valid JSON.")
    return problem(request, error.status_code, detail=error.message if error.status_code == 403 else None)


def _database(request: HttpRequest, error: DatabaseError | InterfaceError) -> HttpResponse:
    if rejection := from_database(error):
        return _rejected(request, rejection)
    return _fault(request, error)


def _fault(request: HttpRequest, error: Exception) -> HttpResponse:
    """What happened goes to the log, never to the caller."""
    if is_unavailable(error):
        logger.error("The database did not answer, or takes no changes", exc_info=error)
        return problem(request, 503, code="database_unavailable", headers={"Retry-After": str(RETRY_AFTER)})
    logger.error("Fault in %s %s", request.method, request.path, exc_info=error)
    return problem(request, 500)


def _no_form(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(request, 400, code="invalid_form", detail="The body is no multipart form that can be read.")


HANDLERS = {
    DomainError: _rejected,
    InputRejected: _input_rejected,
    ValidationError: _not_valid,
    HttpError: _http_error,
    Http404: lambda request, error: problem(request, 404, code="not_found", detail=str(error) or None),
    MultiPartParserError: _no_form,
    # A form with too many parts, or of no known encoding, and a body that breaks off.
    SuspiciousOperation: lambda request, error: problem(request, 400),
    BadRequest: lambda request, error: problem(request, 400),
    UnreadablePostError: lambda request, error: problem(request, 400),
    RequestDataTooBig: lambda request, error: problem(request, 413, code="body_too_large"),
    DatabaseError: _database,
    InterfaceError: _database,
    Exception: _fault,
}


class ProblemMiddleware:
    """Turn an error page below /api/ into a problem document, whichever part of the site made it."""

    prefix = "/api/"

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            response.status_code < 400
            or not request.path_info.startswith(self.prefix)
            or response.get("Content-Type", "").startswith(CONTENT_TYPE)
        ):
            return response
        headers = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
        return problem(request, response.status_code, headers=headers)
