from functools import partial
from operator import attrgetter
from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from missionsite.common.sql_loader import read_sql


def grant_reading(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Let the role that views the site as another member read what the site's role reads, after each migrate."""
    with connections[using].cursor() as cursor:
        cursor.execute(read_sql("missionsite/after_migrate/viewer"))


class MissionsiteConfig(AppConfig):
    name = "missionsite"
    verbose_name = _("Access")

    def ready(self) -> None:
        from missionsite import metrics, roles, telemetry
        from missionsite.common.audit.events import register_event_labels
        from missionsite.common.mentions import FreeText, register_free_texts
        from missionsite.common.metrics import register_collector
        from missionsite.common.references import Moves, register_references
        from missionsite.common.worker.process import register_start

        roles.connect()
        register_references(
            Moves("missionsite.Favourite", "member", unless=("path",)),
            Moves("missionsite.SavedView", "member", unless=("path", "name")),
        )
        register_free_texts(
            FreeText(
                "missionsite.SavedView",
                _("Saved views"),
                ("name", "query"),
                attrgetter("address"),
                "groups.view_member",
            )
        )
        post_migrate.connect(grant_reading, sender=self, dispatch_uid="missionsite.viewer")
        register_collector(metrics.collect)
        register_start(partial(telemetry.start, "missionsite-worker"))
        register_event_labels(
            {"role.changed": _("Role edited"), "role.created": _("Role created")},
            {"second_factor": _("Second factor required")},
            app=self.label,
        )
