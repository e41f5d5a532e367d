"""`dbshell` that falls back to the psql of the embedded server when there is none on the PATH."""

import os
import shutil
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import dbshell

from missionsite import embedded


class Command(dbshell.Command):
    def handle(self, **options: Any) -> None:
        if not shutil.which("psql"):
            try:
                folder = embedded.psql_path().parent
            except embedded.EmbeddedError as error:
                raise CommandError(f"psql is not installed. {error}") from error
            os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
        super().handle(**options)
