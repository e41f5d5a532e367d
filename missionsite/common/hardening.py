"""What holds for every function of the database after each migration, also for those of packages."""

from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate

from missionsite.common.sql_loader import read_sql


def harden_functions(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Pin the search_path of all functions and close the ways around history: see sql/after_migrate/functions.sql.

    Connected to post_migrate. Migrations of packages replace their functions, so this runs again after each migration.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(read_sql("common/after_migrate/functions"))


def connect() -> None:
    """Run once in each `migrate`, after all its migrations."""
    post_migrate.connect(
        harden_functions, sender=apps.get_app_config("common"), dispatch_uid="missionsite.common.hardening"
    )
