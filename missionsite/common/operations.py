"""Migration operations: foreign keys with ON DELETE, and many changes of the schema in little time."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.db.backends.ddl_references import Statement
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger


def walk(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield operations and those inside them, in their order."""
    for operation in operations:
        yield operation
        for inner in ("operations", "database_operations"):
            yield from walk(getattr(operation, inner, ()))


class RenderOnce(Operation):
    """Apply operations with the models rendered once. Django renders all related models for each operation.

    operations: CreateModel, AddField, AddTrigger and others that change the schema. Each one gets the state before and
    the state after all of them, so none may change what another one creates.
    """

    def __init__(self, *operations: Operation) -> None:
        self.operations = operations

    def deconstruct(self) -> Any:
        return type(self).__name__, [*self.operations], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        # Without rendered models, a change of the state costs nothing; they are rendered when next needed.
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in reversed(self.operations):
            # AddTrigger looks for its model in the state after, where a model that this operation created is missing.
            after = from_state if isinstance(operation, AddTrigger) else to_state
            operation.database_backwards(app_label, schema_editor, from_state, after)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)


class OnDelete(Operation):
    """Let foreign keys of new tables delete or clear the referring rows, also for raw SQL.

    action: CASCADE or SET NULL. links: "table.column" of foreign keys of tables that the same migration creates, in an
    operation before this one. Raises LookupError for any other foreign key.
    """

    def __init__(self, action: str, *links: str) -> None:
        self.action, self.links = action, links

    def deconstruct(self) -> Any:
        return type(self).__name__, [self.action, *self.links], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        # Django creates the foreign keys of new tables at the end of the migration, from this list.
        waiting = {
            f"{statement.parts['table'].table}.{column}": statement
            for statement in schema_editor.deferred_sql
            if isinstance(statement, Statement) and statement.template == schema_editor.sql_create_fk
            for column in cast(Any, statement.parts["column"]).columns
        }
        for link in self.links:
            if link not in waiting:
                raise LookupError(f"This migration creates no table with the foreign key {link}.")
            parts: dict[str, Any] = waiting[link].parts
            parts["deferrable"] = f" ON DELETE {self.action}{parts['deferrable']}"

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Do nothing: the tables are dropped."""

    def describe(self) -> str:
        return f"ON DELETE {self.action} of {', '.join(self.links)}"


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
