"""Answers to generated requests match the OpenAPI document: no server errors, no other status, type or body."""

import pytest

from tests.site.test_openapi import document, route_of  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("examples", [2, pytest.param(25, marks=pytest.mark.long)])
def test_answers_to_generated_requests_match_document(world, document, examples):  # noqa: F811
    from tests.site.generated import generated_faults

    faults = list(generated_faults(world, document, route_of, examples))
    assert not faults, "\n\n".join(faults)
