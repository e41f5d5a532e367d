"""The responses of every API operation match the OpenAPI document."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from ninja import Schema
from ninja.errors import ConfigError

from groups.scopes import MISSIONS_READ
from missionsite.api import api
from missionsite.common.api import Router, SiteAPI, needs
from missionsite.common.api.schemas import SchemaNameTaken
from tests.site.routes import Route, routes
from tests.site.test_permission_matrix import Asker
from tests.site.world import address, json_of, undone

pytestmark = pytest.mark.django_db

# Operations with signed requests: tests/engagement/test_api_gateway.py.
SIGNED = {"receive_message", "receive_receipt"}
PROBLEM = "application/problem+json"
# Of responses that are a file and not JSON.
FILE = {"type": "string", "format": "binary"}


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))


def operations() -> list[tuple[str, str, str]]:
    """Return id, method and path of every operation of the document."""
    return [
        (api.get_openapi_operation_id(operation), method, f"/api/{path.lstrip('/')}")
        for path, operation in api.operations()
        for method in operation.methods
    ]


def route_of(path: str) -> Route:
    template = re.sub(r"{(\w+)}", r"<\1>", path.lstrip("/"))
    return next(route for route in routes() if route.template == template)


def described(document: dict, method: str, path: str, status: int) -> dict:
    """Return the schema of a response; the common one of errors where no other is given."""
    responses = document["paths"][path][method.lower()]["responses"]
    return responses.get(str(status)) or responses["default"]


def faults_of(document: dict, method: str, path: str, answer) -> list[str]:
    """Return the differences between a response and its schema."""
    content = described(document, method, path, answer.status_code).get("content", {})
    kind = answer.get("Content-Type", "").partition(";")[0]
    if not content:
        return [f"a body of {kind}"] if answer.content else []
    if kind not in content:
        return [f"{answer.status_code} is {kind}, not {', '.join(content)}"]
    if content[kind]["schema"] == FILE:
        return [] if answer.content else ["an empty file"]
    schema = {**content[kind]["schema"], "components": document["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(answer.json())]


def test_every_operation_has_a_description(document):
    there = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {(method, path) for _name, method, path in operations()} == there


@pytest.mark.parametrize(("name", "method", "path"), operations(), ids=lambda value: value)
def test_response_matches_schema(world, document, name, method, path):
    if name in SIGNED:
        pytest.skip("asked with a signature elsewhere")
    route = route_of(path)
    asker = Asker(world, "superuser")
    with undone():
        world.give_role("superuser", "Delivery Lead")
        answer = asker.send(method, address(world, route, "superuser"), json_of(world, route, method))
        assert answer.status_code < 300, answer.content
        faults = faults_of(document, method, path, answer)
    assert faults == []


@pytest.mark.parametrize(("name", "method", "path"), operations(), ids=lambda value: value)
def test_error_matches_schema(world, document, name, method, path):
    route = route_of(path)
    answer = Asker(world, "anonymous").send(method, address(world, route, "anonymous"), None)
    assert answer.status_code == 401
    assert faults_of(document, method, path, answer) == []


def test_incomplete_mission_error_matches_schema(world, document):
    path = "/api/deck/missions/{number}/status"
    mission = world["deck mission"]
    asker = Asker(world, "superuser")
    with undone():
        for to in ("qa", "complete"):
            answer = asker.send("POST", f"/api/deck/missions/{mission.number}/status", {"to": to})
        assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
        assert faults_of(document, "POST", path, answer) == []
    assert list(document["paths"][path]["post"]["responses"]["409"]["content"]) == [PROBLEM]
    assert "missing" in answer.json()


def test_every_error_is_problem_document(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if status == "default" or int(status) >= 400:
                    assert list(response["content"]) == [PROBLEM], f"{method} {path} {status}"


def test_parameter_examples_follow_openapi(document):
    """Examples are a map, which openapi-python-client and others need. Source: OpenAPI 3.1.1, 4.8.12.2."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                assert isinstance(parameter.get("examples", {}), dict), f"{method} {path} {parameter['name']}"


def test_response_with_other_schema_is_detected(world, document):
    """Negative control: the schema of one list does not match another list."""
    answer = Asker(world, "superuser").send("GET", "/api/missions", None)
    assert faults_of(document, "GET", "/api/missions", answer) == []
    assert faults_of(document, "GET", "/api/deck/missions", answer)


# --- Names ------------------------------------------------------------------------------------


def schema_called(name: str, **fields) -> type[Schema]:
    return type(name, (Schema,), {"__annotations__": fields, "__module__": f"tests.{'_'.join(fields)}"})


def site_with(*answers) -> SiteAPI:
    """Return an API with one operation per response schema."""
    site, router = SiteAPI(urls_namespace=f"names-{id(answers)}"), Router()
    for number, answer in enumerate(answers):

        def view(request):
            return {}

        view.__name__ = f"view_{number}"
        router.get(f"/{number}", response=answer)(needs(MISSIONS_READ)(view))
    site.add_router("", router)
    return site


def test_duplicate_schema_names_stop_start():
    site = site_with(schema_called("Page", items=int), list[schema_called("Page", rows=int)])
    with pytest.raises(SchemaNameTaken) as rejection:
        site.urls  # noqa: B018 - creates and checks the URLs
    assert str(rejection.value) == (
        "Two schemas have the name Page: in tests.items and in tests.rows. Rename one of them."
    )
    assert issubclass(SchemaNameTaken, ConfigError)


def test_nested_duplicate_schema_names_stop_start():
    first, second = schema_called("Row", a=int), schema_called("Row", b=int)
    with pytest.raises(SchemaNameTaken):
        site_with(schema_called("One", rows=list[first]), schema_called("Two", row=second | None)).urls  # noqa: B018


def test_one_schema_may_be_used_twice():
    page = schema_called("Page", items=int)
    assert site_with(page, list[page]).urls
