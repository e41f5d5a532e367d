"""API operations: each is authenticated, rate-limited, checked, and run in one transaction under its database role."""

import inspect
import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path as url
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja import Router as NinjaRouter
from ninja.errors import ConfigError
from ninja.operation import Operation as NinjaOperation
from ninja.operation import PathView as NinjaPathView
from ninja.parser import Parser as NinjaParser

from missionsite.common.annotations import SiteRequest
from missionsite.common.api.access import Access, Caller, Gateway, SignatureAuth, SignatureRejected, TokenAuth
from missionsite.common.api.docs import DocsPage
from missionsite.common.api.idempotency import HEADER_PARAMETER, Attempt, reject_key
from missionsite.common.api.limits import Allowance, count_for_token, count_rejection, count_request
from missionsite.common.api.problems import CONTENT_TYPE, HANDLERS, InputRejected, Problem, problem
from missionsite.common.api.schemas import check_schema_names
from missionsite.common.api.signatures import HEADER as SIGNATURE
from missionsite.common.errors import DomainError
from missionsite.common.roles import member_session
from missionsite.common.tokens import TokenRejected

TOKEN_AUTH = TokenAuth()
SIGNATURE_AUTH = SignatureAuth()


class TooManyRequests(DomainError):
    """Too many requests within a minute; wait for the time in Retry-After."""

    message = _("Too many requests within a minute. Retry after the time in Retry-After.")
    code = "too_many_requests"
    status = 429

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        super().__init__(
            _("Limit of {limit} requests a minute exceeded. Retry in {retry_after} s.").format(
                limit=allowance.limit, retry_after=allowance.retry_after
            )
        )


class BodyTooLarge(DomainError):
    message = _("The request is too large.")
    code = "body_too_large"
    status = 413


def check_storable(value: Any, pointer: str) -> None:
    """Raise InputRejected if any text in a nested value contains characters that PostgreSQL cannot store."""
    # Iterative: the nesting may be deeper than Python's stack.
    remaining = [(value, pointer)]
    while remaining:
        each, where = remaining.pop()
        if isinstance(each, str):
            if "\x00" in each or any("\ud800" <= character <= "\udfff" for character in each):
                detail = _("This text contains a character that cannot be stored.")
                raise InputRejected([{"pointer": where.encode("ascii", "replace").decode(), "detail": detail}])
        elif isinstance(each, dict):
            for key, inner in each.items():
                remaining += [(key, where), (inner, f"{where}/{key}")]
        elif isinstance(each, list | tuple):
            remaining += [(inner, f"{where}/{index}") for index, inner in enumerate(each)]


class Parser(NinjaParser):
    """Standard JSON (without NaN) whose texts can be stored, and in which no object has a name twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        data = json.loads(request.body, parse_constant=self._no_constant, object_pairs_hook=self._distinct)
        check_storable(data, "")
        return data

    @staticmethod
    def _no_constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    @staticmethod
    def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            raise ValueError("a name stands twice in one object")
        return values


class Operation(NinjaOperation):
    """One method of one address."""

    access: Access
    READS = frozenset(("GET", "HEAD", "OPTIONS"))

    def __init__(self, path: str, methods: list[str], view_func: Any, **options: Any) -> None:
        access = getattr(view_func, "api_access", None)
        if access is None:
            raise ConfigError(f"{view_func.__name__} has no access rules: add @needs(...) below the route.")
        super().__init__(path, methods, view_func, **options)
        if self.stream_format or inspect.iscoroutinefunction(view_func) or inspect.isasyncgenfunction(view_func):
            raise ConfigError(f"{view_func.__name__} must be a plain function, since a route runs in one transaction.")
        self.access = access

    @property
    def writes(self) -> bool:
        return not self.READS.issuperset(self.methods)

    @property
    def honours_keys(self) -> bool:
        """Whether it accepts Idempotency-Key: every writing operation that has a member."""
        return self.writes and not self.access.secrets

    def clone(self) -> "Operation":
        cloned = cast(Operation, super().clone())
        cloned.access = self.access
        return cloned

    def run(self, request: HttpRequest, **path_values: Any) -> HttpResponse:
        """Respond to a request; errors become problem documents."""
        allowance = None
        try:
            caller, allowance = self._authenticate(request)
            response = self._respond(request, caller, path_values)
        except TooManyRequests as error:
            allowance = error.allowance
            response = self.api.on_exception(request, error)
        except Exception as error:
            response = self.api.on_exception(request, error)
        if allowance:
            allowance.add_to(response)
        return response

    def _authenticate(self, request: HttpRequest) -> tuple[Caller | Gateway, Allowance | None]:
        """Authenticate the caller and count the request.

        Raises TokenRejected, SignatureRejected, SignatureUnset, RequestDataTooBig, TooManyRequests.
        """
        caller: Caller | Gateway
        try:
            if self.access.secrets:
                caller = SIGNATURE_AUTH.caller_of(request, self.access.secrets())
            else:
                caller = TOKEN_AUTH.caller_of(request)
        except (TokenRejected, SignatureRejected):
            allowance = count_rejection(request)
            if allowance and not allowance.allowed:
                raise TooManyRequests(allowance) from None
            raise
        if isinstance(caller, Gateway):
            # Ignores any session cookie.
            cast(SiteRequest, request).auth, request.user = caller, AnonymousUser()
            return caller, None
        allowance = count_for_token(caller.token.pk)
        if allowance and not allowance.allowed:
            raise TooManyRequests(allowance)
        cast(SiteRequest, request).auth = caller
        # The history records this member for the changes of the request.
        request.user = caller.member
        return caller, allowance

    def _respond(self, request: HttpRequest, caller: Caller | Gateway, path_values: dict) -> HttpResponse:
        """Check rights and input, then run the view and serialise its result in one transaction.

        A repeated request with an Idempotency-Key gets the stored response.
        """
        caller.check(self.access)
        self._check_length(request)
        self._count_attempt(caller)
        attempt = None
        if self.honours_keys:
            # Before the body is parsed, as it can be read only once.
            name, has_files = self.api.get_openapi_operation_id(self), self.access.longest is not None
            attempt = Attempt.of(request, owner_id=caller.member.pk, operation=name, has_files=has_files)
        elif self.writes:
            reject_key(
                request,
                _("This operation does not accept a key and needs none: {repeatable}.").format(
                    repeatable=self.access.repeatable
                ),
            )
        check_storable(path_values, "path")
        check_storable(dict(request.GET.lists()), "query")
        response = self.api.create_temporal_response(request)
        values = self._get_values(request, path_values, response)
        with transaction.atomic():
            if attempt is None:
                return self._run_view(request, caller, values, response)
            if answer := attempt.earlier_response():
                return answer
            answer = self._run_view(request, caller, values, response)
            if answer.status_code < 400:
                attempt.store(answer)
            else:
                # A rejected request has no effect, so its response is not stored and it may be retried.
                transaction.set_rollback(True)
            return answer

    def _check_length(self, request: HttpRequest) -> None:
        """Raise BodyTooLarge for an upload whose Content-Length is too large, without reading it.

        The server and Django never read more than the Content-Length.
        """
        if self.access.longest is None:
            return
        longest, declared = self.access.longest(), request.META.get("CONTENT_LENGTH") or ""
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > longest):
            raise BodyTooLarge(_("The request is larger than {longest:,} bytes.").format(longest=longest))

    def _count_attempt(self, caller: Caller | Gateway) -> None:
        """Count a call of an operation with its own limit, outside its transaction. Raises TooManyRequests."""
        if self.access.attempts is None or isinstance(caller, Gateway):
            return
        allowance = count_request(f"{self.access.scope}:token:{caller.token.pk}", self.access.attempts())
        if allowance and not allowance.allowed:
            raise TooManyRequests(allowance)

    def _run_view(
        self, request: HttpRequest, caller: Caller | Gateway, values: dict, response: HttpResponse
    ) -> HttpResponse:
        """Run the view and serialise its result.

        Members who are not staff run under the member role with row security, unless the view checks all rights
        itself. Operations that concern only the caller run under the member role for everyone.
        """
        as_site = self.access.checks_rights or not (caller.is_restricted or self.access.own)
        with nullcontext() if as_site else member_session(caller.member.pk):
            return cast(HttpResponse, self._result_to_response(request, self.view_func(request, **values), response))


class PathView(NinjaPathView):
    """The operations of one path."""

    def add_operation(
        self, path: str, methods: list[str], view_func: Any, *, url_name: Any = None, **options: Any
    ) -> Operation:
        if url_name:
            self.url_name = url_name
        operation = Operation(path, methods, view_func, url_name=url_name, **options)
        self.operations.append(operation)
        view_func._ninja_operation = operation
        return operation

    def clone(self) -> "PathView":
        cloned = PathView()
        cloned.url_name = self.url_name
        cloned.operations = [operation.clone() for operation in self.operations]
        return cloned

    def _sync_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if operation := self._find_operation(request):
            return cast(Operation, operation).run(request, *args, **kwargs)
        allowed = sorted({method for operation in self.operations for method in operation.methods})
        return problem(request, 405, headers={"Allow": ", ".join(allowed)})


class Router(NinjaRouter):
    """The routes of an app."""

    def add_api_operation(self, path: str, methods: list[str], view_func: Any, **options: Any) -> None:
        self.path_operations.setdefault(path, PathView())
        super().add_api_operation(path, methods, view_func, **options)


class SiteAPI(NinjaAPI):
    """The API: its operations, its OpenAPI schema, and a problem document for every unknown path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(auth=TOKEN_AUTH, parser=Parser(), docs=DocsPage(), docs_url="docs", **options)
        for error, handler in HANDLERS.items():
            self.add_exception_handler(error, cast(Any, handler))

    def operations(self) -> Iterator[tuple[str, Operation]]:
        """Every operation with its path below the root of the API."""
        for bound in self._get_bound_routers():
            for address, view in bound.path_operations.items():
                for operation in view.operations:
                    yield f"{bound.prefix}{address}", cast(Operation, operation)

    def _validate(self) -> None:
        """Raise ConfigError for an operation on another router, or two operations of the same name."""
        names = set()
        for address, operation in self.operations():
            if not isinstance(operation, Operation):
                raise ConfigError(f"{address} does not use the Router of missionsite.common.api.")
            name = self.get_openapi_operation_id(operation)
            if name in names:
                raise ConfigError(f"Two operations have the name {name}.")
            names.add(name)
        check_schema_names(operation for _address, operation in self.operations())

    def _get_urls(self) -> list:
        urls = [each for each in super()._get_urls() if getattr(each, "name", None) != "api-root"]
        return [
            *urls,
            url("", not_found, name="api-root"),
            url("<path:rest>", not_found, name="not-found"),
        ]

    def get_openapi_operation_id(self, operation: NinjaOperation) -> str:
        """The name of the view, which does not change when the view moves to another module."""
        return operation.operation_id or operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> Any:
        """The OpenAPI schema, with the scopes, permissions, error responses and headers of every operation."""
        schema = super().get_openapi_schema(**options)
        parts = schema["components"].setdefault("schemas", {})
        described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.update(described.pop("$defs"))
        parts["Problem"] = described
        known = {self.get_openapi_operation_id(operation): operation for _, operation in self.operations()}
        for methods in schema["paths"].values():
            for each in methods.values():
                operation = known[each["operationId"]]
                needed = operation.access
                each["x-scope"] = needed.scope
                each["x-staff-permissions"] = list(needed.staff)
                description = f"Scope: `{needed.scope}`."
                if needed.secrets:
                    description = (
                        "For programs that sign their requests, without a token. Idempotency-Key is rejected:"
                        f" {needed.repeatable}."
                    )
                    each["security"] = [_SIGNED]
                    schema["components"]["securitySchemes"]["Signature"] = _SIGNATURE
                each["description"] = f"{each.get('description', '')}\n\n{description}".strip()
                for status, response in each["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {CONTENT_TYPE: response["content"].pop("application/json")}
                each["responses"] |= {"default": _REJECTION}
                for parameter in each.get("parameters", []):
                    # JSON Schema has a list of examples, which OpenAPI parameters do not allow.
                    if examples := parameter.pop("examples", None):
                        parameter["example"] = examples[0]
                if operation.honours_keys:
                    each["parameters"] = [*each.get("parameters", []), HEADER_PARAMETER]
        return schema


_SIGNED: dict[str, list] = {"Signature": []}
_SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": SIGNATURE,
    "description": (
        "`t=1790000000,v1=<hex>`: t is the current time in seconds since 1970, v1 the HMAC-SHA256 of t, a full stop and"
        " the exact body, with the shared secret. Valid for five minutes."
    ),
}
_REJECTION = {
    "description": "Error: 400 malformed request, 401 no valid token or signature, 403 not allowed, 404 not found,"
    " 405 wrong method, 409 conflict with a rule, 413 too large, 422 invalid input, 429 too many requests, 500 server"
    " error, 503 database unavailable.",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The problem document for unknown paths below /api/."""
    return problem(request, 404)


cast(Any, not_found).csrf_exempt = True
