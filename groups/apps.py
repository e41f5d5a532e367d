from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class GroupsConfig(AppConfig):
    name = "groups"
    verbose_name = "People & missions"

    def ready(self) -> None:
        from groups.rollback import before_migrate

        pre_migrate.connect(before_migrate, sender=self, dispatch_uid="groups.rollback")
