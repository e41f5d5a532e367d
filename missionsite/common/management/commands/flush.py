from typing import Any

from django.core.management.commands.flush import Command as FlushCommand

from missionsite.common.roles import as_owner


class Command(FlushCommand):
    """Django's flush, connected as the owner, because the site's role may not TRUNCATE."""

    def handle(self, **options: Any) -> None:
        with as_owner():
            super().handle(**options)
