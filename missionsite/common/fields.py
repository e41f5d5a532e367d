"""Fields of models."""

from django.db import models


class URLField(models.URLField):
    """An address; one typed without http:// or https:// gets https://. Django 6 does so by itself: then this can go."""

    def formfield(self, **kwargs):
        return super().formfield(**{"assume_scheme": "https", **kwargs})

    def deconstruct(self):
        """As Django's own: for the database it is the same."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.URLField", arguments, options
