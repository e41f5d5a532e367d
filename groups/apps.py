from collections.abc import Iterable
from datetime import date

from django.apps import AppConfig
from django.db.models import Model
from django.db.models.signals import pre_migrate


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "People & missions"
    # What `loaddata seeds` brings is as old as on this day.
    seeds_written_on = date(2026, 11, 21)
    # Numbers that another row may have: then an example gets the next one.
    seeds_numbered = {
        "member": "member_id",
        "communitymember": "member_id",
        "group": "stable_id",
        "task": "stable_id",
    }

    def ready(self) -> None:
        from groups.rollback import before_migrate

        pre_migrate.connect(before_migrate, sender=self, dispatch_uid="groups.rollback")

    def seeds_loaded(self, rows: Iterable[Model]) -> None:
        """Write the events of example data."""
        from groups.services.examples import write_events

        write_events(rows)
