"""Model fields."""

from django.db import models

from missionsite.common.fields import URLField


def test_url_without_scheme_gets_https():
    field = URLField().formfield()
    assert field.clean("example.org/a") == "https://example.org/a"
    assert field.clean("http://example.org") == "http://example.org"


def test_url_field_deconstructs_to_django_field():
    assert URLField(max_length=9).deconstruct()[1:] == models.URLField(max_length=9).deconstruct()[1:]
