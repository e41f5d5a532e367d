"""Checks that the schemas of all apps have unique names in the OpenAPI document."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from ninja.errors import ConfigError
from ninja.operation import Operation
from pydantic import BaseModel

from missionsite.common.api.problems import Problem


class SchemaNameTaken(ConfigError):
    """Two schemas have the same name, so the document would contain only one of them."""


def check_schema_names(operations: Iterable[Operation]) -> None:
    """Raise SchemaNameTaken if two schemas that operations accept or return have the same name."""
    taken = {schema.__name__: schema for schema in _reachable([Problem])}
    for operation in operations:
        # The models that ninja creates for parameters and responses are inlined, without a name.
        made = [*operation.models, *(model for model in operation.response_models.values() if isinstance(model, type))]
        inside = (field.annotation for model in made for field in model.model_fields.values())
        for schema in _reachable(inside):
            other = taken.setdefault(schema.__name__, schema)
            if other is not schema:
                raise SchemaNameTaken(
                    f"Two schemas have the name {schema.__name__}: in {other.__module__} and in {schema.__module__}."
                    " Rename one of them."
                )


def _reachable(annotations: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Every schema in these annotations and, recursively, in their fields."""
    left, seen = list(annotations), set()
    while left:
        each = left.pop()
        left += get_args(each)
        if isinstance(each, type) and issubclass(each, BaseModel) and each not in seen:
            seen.add(each)
            yield each
            left += [field.annotation for field in each.model_fields.values()]
