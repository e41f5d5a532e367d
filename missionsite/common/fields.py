"""Model fields."""

from typing import Any

from django.db import models


class URLField(models.URLField):
    """A URL; https:// is added to one entered without a scheme. Django 6 does this itself."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"assume_scheme": "https", **kwargs})

    def deconstruct(self) -> Any:
        """As Django's URLField: the database column is the same."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.URLField", arguments, options
