"""Requests that schemathesis generates from the OpenAPI document, asked of the site in this process."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlsplit

import requests
import schemathesis
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.site.test_permission_matrix import Asker
from tests.site.world import address, undone
from tests.support.sample import share

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def generated_faults(world, document: dict, route_of, examples: int) -> Iterator[str]:
    """Yield what is wrong with the answers to generated requests: valid and invalid ones, `examples` per operation.

    A build asks one operation in six, others the next day.
    """
    schema = schemathesis.openapi.from_dict(document)
    for result in share(schema.get_all_operations(), of=6):
        operation = result.ok()
        yield from _faults_of(world, operation, address(world, route_of(operation.path), "superuser"), examples)


def _faults_of(world, operation, existing: str, examples: int) -> list[str]:
    asker, faults = Asker(world, "superuser"), {}
    strategies = [
        operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=timedelta(minutes=1),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies), is_existing=st.booleans())
    def ask(case, is_existing):
        with undone():
            answer = _send(asker, case, existing if is_existing else None)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for fault in group.exceptions:
                # One per kind; the numbers and texts of the requests differ.
                kind = f"{operation.method.upper()} {operation.path} {answer.status_code} {type(fault).__name__}"
                faults.setdefault(kind, f"{kind}: {answer.request.url} {answer.request.body!r:.300}\n{fault}")

    ask()
    return list(faults.values())


def _send(asker: Asker, case, existing: str | None) -> requests.Response:
    """Send a case with the test client; existing: the address of an existing object, instead of the generated one."""
    target = existing or re.sub(
        r"{(\w+)}",
        lambda part: quote(str(case.path_parameters[part[1]]), safe="", errors="replace"),
        case.operation.path,
    )
    kwargs = case.as_transport_kwargs(base_url="http://testserver")
    prepared = requests.Request(**{**kwargs, "method": case.method, "url": f"http://testserver{target}"}).prepare()
    query = urlsplit(prepared.url).query
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in prepared.headers.items()
        if name.lower() not in ("accept-encoding", "authorization", "content-length", "content-type", "cookie")
    }
    body = prepared.body or b""
    answer = asker.program.generic(
        case.method,
        target,
        body.encode() if isinstance(body, str) else body,
        prepared.headers.get("Content-Type", "application/json"),
        QUERY_STRING=query,
        headers=headers,
    )
    return _as_response(answer, prepared)


def _as_response(answer, prepared: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request, response.url = answer.status_code, prepared, prepared.url
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    response.elapsed = timedelta()
    response.raw = urllib3.HTTPResponse(response._content, answer.headers, answer.status_code, version=11)
    return response
