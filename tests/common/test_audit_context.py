"""SQL functions that read the audit context of a transaction."""

from uuid import UUID

import pytest

from tests.support.database import row, rows

pytestmark = pytest.mark.django_db

CONTEXT = "SELECT audit_actor_id(), audit_origin(), audit_reason(), audit_changeset_id()"
SETTINGS = ("app.actor_id", "app.event_origin", "app.reason", "pghistory.context_id")
SOMEONE, CHANGESET = UUID(int=1), UUID(int=2)


def set_context(*values: str) -> None:
    for setting, value in zip(SETTINGS, values, strict=True):
        rows("SELECT set_config(%s, %s, true)", [setting, value])


def test_context_has_defaults_when_nothing_is_set():
    assert row(CONTEXT) == (None, "system", "", None)


def test_context_has_defaults_after_a_reset():
    set_context("", "", "", "")
    assert row(CONTEXT) == (None, "system", "", None)


def test_context_returns_the_settings():
    set_context(str(SOMEONE), "admin", "asked for it", str(CHANGESET))
    assert row(CONTEXT) == (SOMEONE, "admin", "asked for it", CHANGESET)
