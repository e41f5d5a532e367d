from __future__ import annotations

from itertools import groupby

from django.core import serializers
from django.core.management.commands.loaddata import Command as LoaddataCommand

EXAMPLES = "seeds"


class Command(LoaddataCommand):
    """Django's loaddata, which leaves example data alone once it is there: by then people have worked with it.

    Loading a row again would set it back to how it was, which rules forbid where other rows have followed it since.
    """

    def find_fixtures(self, fixture_label):
        found = super().find_fixtures(fixture_label)
        return [each for each in found if each[2] != EXAMPLES or not self._is_there(each[0])]

    def _is_there(self, path: str) -> bool:
        """Whether any row of a fixture is in the database."""
        with open(path, encoding="utf-8") as file:
            rows = [each.object for each in serializers.deserialize("json", file, handle_forward_references=True)]
        return any(
            model._base_manager.using(self.using).filter(pk__in=[row.pk for row in of_model]).exists()
            for model, of_model in groupby(rows, type)
        )
