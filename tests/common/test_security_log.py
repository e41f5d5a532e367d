"""The security log: what is recorded, that it stays, and the Auditor's page."""

import csv
import io
import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from groups.models import Member
from groups.services.members import update_member
from groups.services.rights import set_roles
from missionsite.common import retention
from missionsite.common.audit import security
from missionsite.common.models import SecurityEvent
from missionsite.common.tokens import create_token, revoke_token
from tests.engagement.owner_connection import owner
from tests.support.database import rejected_by, row, rows, triggers_off
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    member = StaffFactory(display_name="Uma Auditor")
    member.groups.add(Group.objects.get(name="Auditor"))
    client.force_login(member)
    return member


def events(**filters) -> list[tuple]:
    return list(SecurityEvent.objects.filter(**filters).order_by("pk").values_list("type", "payload"))


def test_denied_access_is_one_event_and_one_line(auditor, client, caplog):
    caplog.set_level(logging.INFO)
    assert client.get("/admin/groups/task/add/").status_code == 403
    [event] = SecurityEvent.objects.all()
    assert (event.type, event.actor, event.address) == ("access.denied", auditor, "127.0.0.1")
    assert event.payload == {"method": "GET", "route": "/admin/groups/task/add/"}
    [line] = [record for record in caplog.records if record.name == "missionsite.security"]
    assert (line.event, line.member, line.address) == ("access.denied", str(auditor.pk), "127.0.0.1")
    assert event.request_id


def test_denied_access_is_stored_within_limit(auditor, client, monkeypatch):
    monkeypatch.setattr(security, "DENIED_PER_MINUTE", 3)
    assert {client.get("/admin/groups/task/add/").status_code for _ in range(6)} == {403}
    assert len(events(type="access.denied")) == 3


def test_changes_of_access_are_recorded():
    root, member = StaffFactory(is_superuser=True), StaffFactory()
    token, _plaintext = create_token(
        actor=root,
        owner=member,
        name="n",
        scopes=["missions:read"],
        expires_at=timezone.now() + timezone.timedelta(days=1),
    )
    revoke_token(actor=root, token=token)
    set_roles(actor=root, member=member, roles=[Group.objects.get(name="Auditor")])
    update_member(actor=root, member=member, trust_score=3)
    update_member(actor=root, member=member, is_staff=False)
    assert [type_ for type_, _payload in events(member=member, actor=root)] == [
        "token.created",
        "token.revoked",
        "member.roles_changed",
        "member.changed",
        "access.ended",
    ]


def test_log_is_append_only_for_the_site():
    security.record_security_event("session.started")
    for statement in ("UPDATE security_events SET type = 'a.b'", "DELETE FROM security_events"):
        with pytest.raises(DatabaseError) as rejected, transaction.atomic():
            rows(statement)
        assert rejected.value.__cause__.sqlstate == "42501"
    with rejected_by("security_events_type_format"):
        rows("INSERT INTO security_events (type) VALUES ('nonsense')")


@pytest.mark.rule("security_events_stamp", "security_events_no_truncate")
def test_log_is_append_only_for_the_owner():
    with owner() as session:
        session.execute("INSERT INTO security_events (type, address) VALUES ('a.b', '192.0.2.1')")
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in (
            "UPDATE security_events SET type = 'c.d'",
            "DELETE FROM security_events",
            "TRUNCATE security_events",
            "SET LOCAL missionsite.erasing = 'on'; UPDATE security_events SET type = 'c.d'",
        ):
            with pytest.raises(Exception, match="append-only") as rejected, session.transaction():
                session.execute(statement)
            assert rejected.value.diag.constraint_name == "security_events_append_only"
        # Negative control: erasing empties what identifies a person.
        session.execute("SET LOCAL missionsite.erasing = 'on'; UPDATE security_events SET address = NULL")
        assert session.execute("SELECT address FROM security_events").fetchall() == [(None,)]


@pytest.mark.rule("security_events_append_only")
def test_only_entries_older_than_400_days_are_deleted():
    with owner() as session:
        with triggers_off(session, "security_events"):
            for name, days in (("young", 399), ("old", 401), ("older", 500)):
                session.execute(
                    "INSERT INTO security_events (type, occurred_at) VALUES (%s, now() - make_interval(days => %s))",
                    [f"a.{name}", days],
                )
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        delete = "SELECT delete_old_security_events(now() + interval '900 days', %s)"
        assert [session.execute(delete, [1]).fetchone() for _time in range(3)] == [(1,), (1,), (0,)]
        left = session.execute("SELECT type FROM security_events WHERE type LIKE 'a.%'").fetchall()
        assert left == [("a.young",)]
        # Nor by hand, with the setting of the function.
        with pytest.raises(Exception, match="append-only"), session.transaction():
            session.execute("SET LOCAL missionsite.deleting_security_events = 'on'; DELETE FROM security_events")


def test_site_counts_what_is_due_and_deletes_nothing_younger(monkeypatch):
    security.record_security_event("session.started")
    now, system = timezone.now(), Member.objects.system()
    assert retention.old_security_events(now) == 0
    monkeypatch.setattr(retention, "SECURITY_LOG_KEPT", timedelta(days=-1))
    assert retention.old_security_events(now) == SecurityEvent.objects.count() > 0
    assert retention.delete_old_security_events(actor=system, at=now) == 0
    with pytest.raises(DatabaseError), transaction.atomic():
        rows("SET LOCAL missionsite.deleting_security_events = 'on'; DELETE FROM security_events")


def test_time_and_changeset_are_not_the_callers():
    insert = "INSERT INTO security_events (type, occurred_at) VALUES ('a.b', '2001-01-01')"
    assert row(f"{insert} RETURNING occurred_at = now()") == (True,)


# --- The page ---------------------------------------------------------------------------------


def test_page_filters_by_type_member_and_address(auditor, client):
    ana, bea = MemberFactory(display_name="Ana"), MemberFactory(display_name="Bea")
    for member, address in ((ana, "192.0.2.1"), (bea, "2001:db8::7")):
        SecurityEvent.objects.create(type="session.started", member=member, address=address)
        SecurityEvent.objects.create(type="session.failed", member=member, address=address)

    def shown(query: str) -> list[tuple[str, str]]:
        found = client.get(f"/admin/common/securityevent/?{query}").context["cl"].result_list
        return sorted((event.type, str(event.member)) for event in found)

    assert shown("type=session.failed") == [("session.failed", "Ana"), ("session.failed", "Bea")]
    assert shown(f"member__id__exact={ana.pk}") == [("session.failed", "Ana"), ("session.started", "Ana")]
    assert shown("address=2001:db8:0::7") == [("session.failed", "Bea"), ("session.started", "Bea")]
    assert shown("address=nonsense") == []


def test_page_makes_fixed_number_of_queries(auditor, client, django_assert_max_num_queries):
    for _ in range(20):
        SecurityEvent.objects.create(type="session.started", member=MemberFactory(), actor=MemberFactory())
    with django_assert_max_num_queries(12):
        assert client.get("/admin/common/securityevent/").status_code == 200


def test_export_has_filtered_rows_and_is_recorded(auditor, client):
    SecurityEvent.objects.create(type="session.started", user_agent="=cmd|' /C calc'!A0")
    SecurityEvent.objects.create(type="session.failed")
    answer = client.get("/admin/common/securityevent/export/?type=session.started")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(line["type"], line["user_agent"]) for line in lines] == [("session.started", "'=cmd|' /C calc'!A0")]
    [(_type, payload)] = events(type="data.exported", actor=auditor)
    assert payload["file"].startswith("security-log-")


def test_page_is_for_auditors_and_administrators():
    for role, status in (("Auditor", 200), ("Administrator", 200), ("Mission Manager", 403)):
        member = StaffFactory()
        member.groups.add(Group.objects.get(name=role))
        browser = Client()
        browser.force_login(member)
        assert browser.get("/admin/common/securityevent/").status_code == status, role
        assert browser.get("/admin/common/securityevent/export/").status_code == status, role
