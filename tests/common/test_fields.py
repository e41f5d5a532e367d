"""Fields of models."""

from django.db import models

from missionsite.common.fields import URLField


def test_address_typed_without_a_scheme_is_a_safe_one():
    field = URLField().formfield()
    assert field.clean("example.org/a") == "https://example.org/a"
    assert field.clean("http://example.org") == "http://example.org"


def test_migrations_see_the_field_of_django():
    assert URLField(max_length=9).deconstruct()[1:] == models.URLField(max_length=9).deconstruct()[1:]
