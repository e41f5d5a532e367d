"""SQL functions that read the audit context of a transaction."""

from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from missionsite.common.audit.context import changeset, describe_changeset, set_audit_context
from tests.support.database import row, rows
from tests.support.factories.groups import MemberFactory

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


def injected(queries) -> list[bool]:
    """Whether each statement that writes was sent with the settings of the changeset."""
    return ["set_config('pghistory.context_id'" in query["sql"] for query in queries if "UPDATE" in query["sql"]]


def write() -> None:
    rows("UPDATE groups SET name = name WHERE false")


def test_changeset_is_set_once_in_a_transaction():
    with changeset(), transaction.atomic(), CaptureQueriesContext(connection) as queries:
        write()
        with transaction.atomic():
            write()
    assert injected(queries) == [True, False]


@pytest.mark.parametrize("undone", [0, 1])
def test_changeset_is_set_again_after_a_rollback(undone):
    with changeset() as changeset_id, transaction.atomic():
        if not undone:
            write()
        with transaction.atomic():
            write()
            transaction.set_rollback(True)
        write()
        assert row(CONTEXT)[3] == changeset_id


def test_changeset_is_set_again_with_other_metadata():
    person = MemberFactory()
    with changeset(job="first"), transaction.atomic(), CaptureQueriesContext(connection) as queries:
        write()
        describe_changeset(user="someone")
        write()
        set_audit_context(person)
        write()
    assert injected(queries) == [True, True, True]


def test_each_changeset_of_a_transaction_has_its_id():
    with transaction.atomic():
        for _turn in range(2):
            with changeset() as changeset_id:
                write()
                assert row(CONTEXT)[3] == changeset_id
