"""The events table is append-only."""

import pghistory
import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, transaction

from groups.errors import EventsAppendOnly
from groups.models import Event
from missionsite.common.errors import from_database
from tests.support.concurrency import execute_as_owner


@pytest.mark.django_db
@pytest.mark.parametrize("change", [lambda events: events.update(type="other.type"), lambda events: events.delete()])
def test_site_role_cannot_change_or_delete_events(change):
    Event.objects.create(type="group.created")
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        change(Event.objects.all())
    assert rejected.value.__cause__.sqlstate == "42501"
    assert Event.objects.get().type == "group.created"


@pytest.mark.seed("000 events membership.created and membership.ended")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ["UPDATE events SET type = 'other.type'", "DELETE FROM events"])
def test_owner_cannot_change_or_delete_events(statement):
    Event.objects.create(type="group.created")
    with pytest.raises(psycopg.errors.CheckViolation) as rejected:
        execute_as_owner(statement)
    assert rejected.value.diag.constraint_name == EventsAppendOnly.constraint
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_owner_cannot_truncate_events():
    with pytest.raises(psycopg.errors.CheckViolation):
        execute_as_owner("TRUNCATE events")


@pytest.mark.django_db
def test_event_type_format_is_checked():
    for wrong in ("", "Created", "group", "group..created", "group.created ", "1.2"):
        with pytest.raises(IntegrityError) as rejected, transaction.atomic():
            Event.objects.create(type=wrong)
        assert rejected.value.__cause__.diag.constraint_name == "events_type_format"
        assert from_database(rejected.value).message


@pytest.mark.django_db
def test_event_has_changeset_of_context():
    assert Event.objects.create(type="group.created").changeset_id is None
    with pghistory.context(reason="a test") as context:
        assert Event.objects.create(type="group.created").changeset_id == context.id
