"""What a release has shipped: its migrations, which never change again."""

import hashlib
import inspect
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

from missionsite.common.operations import walk


def migration_digests() -> dict[str, str]:
    """Return the SHA-256 of each migration of this project: of its file and of every SQL text it runs.

    Keys: `<app label>.<migration name>`.
    """
    return {
        f"{migration.app_label}.{migration.name}": _digest(migration)
        for _key, migration in sorted(MigrationLoader(None).disk_migrations.items())
        if _is_ours(migration.app_label)
    }


def _is_ours(label: str) -> bool:
    folder = Path(apps.get_app_config(label).path)
    checkout = Path(settings.BASE_DIR)
    return folder.is_relative_to(checkout) and not folder.is_relative_to(checkout / ".venv")


def _digest(migration: migrations.Migration) -> str:
    digest = hashlib.sha256(Path(inspect.getsourcefile(type(migration))).read_bytes())
    for operation in walk(migration.operations):
        if isinstance(operation, migrations.RunSQL):
            digest.update(str(operation.sql).encode())
    return digest.hexdigest()
