"""Sets pghistory's context once in a transaction instead of before every statement that writes.

pghistory puts `SELECT set_config(...)` before each statement, also before savepoints: a quarter of the statements of a
service. The settings are those of a transaction, so they are only set again when the context has changed, or a rollback
may have undone them.
"""

import json
from collections.abc import Callable
from typing import Any

import pghistory.runtime
from pghistory import config

_inject = pghistory.runtime._inject_history_context
_TRANSACTION_CONTROL = ("savepoint", "release", "rollback")


def _inject_once(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement, after the settings if this transaction does not have them. An execute_wrapper of Django."""
    connection = context["connection"]
    tracked = pghistory.runtime._tracker.value
    wanted = str(tracked.id), json.dumps(tracked.metadata, cls=config.json_encoder())
    is_known = connection.in_atomic_block and connection.history_context == wanted
    if is_known or not pghistory.runtime._can_inject_variable(context["cursor"], sql):
        return execute(sql, params, many, context)
    result = _inject(execute, sql, params, many, context)
    if connection.in_atomic_block:
        connection.history_context = wanted
    return result


def install() -> None:
    """Let pghistory use it. Called when the apps are ready."""
    runtime: Any = pghistory.runtime
    runtime._inject_history_context = _inject_once
    runtime.IGNORED_SQL_PREFIXES = tuple(dict.fromkeys((*runtime.IGNORED_SQL_PREFIXES, *_TRANSACTION_CONTROL)))
