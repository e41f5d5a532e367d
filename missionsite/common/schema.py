"""Parts of migrations."""

from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation


class CreatingMigration(migrations.Migration):
    """A migration that only creates: its operations do not alter a model that one of them made.

    So each of them can see the models as they are after the migration, and Django makes the model classes once. For
    every operation that adds to a model, Django's own migration makes that class and all related classes again.
    """

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:
        before = project_state.clone()
        project_state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(self.app_label, project_state)
        for operation in self.operations:
            if collect_sql:
                schema_editor.collected_sql.append(f"--\n-- {operation.describe()}\n--")
            operation.database_forwards(self.app_label, schema_editor, before, project_state)
        return project_state


class RunDeferredSQL(Operation):
    """Create now the foreign keys and indexes that Django would create at the end of the migration.

    Place it before SQL that changes them.
    """

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay the same."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for statement in schema_editor.deferred_sql:
            schema_editor.execute(statement, None)
        schema_editor.deferred_sql.clear()

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """They are dropped with their tables."""
