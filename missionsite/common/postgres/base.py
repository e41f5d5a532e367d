"""Django's PostgreSQL backend, in which a lost worker cannot commit and an empty pool is not waited for twice."""

import time
from typing import Any, ClassVar, cast

from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout

from missionsite.common.postgres.schema import DatabaseSchemaEditor
from missionsite.common.worker import fence

# Seconds during which requests fail at once after one has waited in vain for a connection of the pool.
FAIL_FAST_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor
    # By alias: of all threads of this process, as they share the pool. A race costs one more wait.
    _unavailable_until: ClassVar[dict[str, float]] = {}
    # The id and metadata of pghistory's context that the settings of this transaction have; see audit/injection.py.
    history_context: tuple[str, str] | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection, or take one from the pool.

        While the database is away, each request would wait for the pool's time-out, and the next ones for that request.
        So one request waits each second, and the others fail at once. Raises OperationalError.
        """
        if not self.settings_dict["OPTIONS"].get("pool"):
            return super().get_new_connection(conn_params)
        if time.monotonic() < self._unavailable_until.get(self.alias, 0.0):
            raise OperationalError("The pool had no connection to the database a moment ago.")
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            self._unavailable_until[self.alias] = time.monotonic() + FAIL_FAST_SECONDS
            raise

    def commit(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                fence.check(self.connection)
        self.history_context = None
        super().commit()

    def rollback(self) -> None:
        self.history_context = None
        super().rollback()

    def _savepoint_rollback(self, sid: str) -> None:
        self.history_context = None
        cast(Any, super())._savepoint_rollback(sid)

    def close(self) -> None:
        self.history_context = None
        super().close()
