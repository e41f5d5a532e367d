"""The sealed audit: who writes it, that no one else can, and that a changed byte is named."""

import json
from datetime import UTC, time
from io import StringIO

import pytest
from django.contrib.auth.models import Group as Role
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from engagement.models import BouncedAddress
from fallback.models import Project
from fallback.services.preferences import set_quiet_hours
from groups.services.erasure import erase
from groups.services.members import update_member
from missiondeck.models import DeckTest, Evidence
from missionsite.common.audit import sealing, sources
from missionsite.common.audit.context import changeset, set_audit_context
from missionsite.common.audit.security import MIRRORED, SECURITY_LABELS, record_security_event
from missionsite.common.models import AuditActor, AuditBlock, AuditEntry
from tests.engagement.owner_connection import owner
from tests.groups.erasing import owner_session
from tests.support.admin import OfficeClient
from tests.support.concurrency import crowd
from tests.support.database import row, rows
from tests.support.factories.fallback import ProjectFactory
from tests.support.factories.groups import EntryFactory, MemberFactory, StaffFactory
from tests.support.factories.missiondeck import DodItemFactory

pytestmark = pytest.mark.django_db
TABLES = ("audit_entries", "audit_details", "audit_actors", "audit_blocks", "audit_pending")


def entries(**filters) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**filters).select_related("actor", "details").order_by("pk"))


def problems(**options) -> list[str]:
    return sealing.verify(**options).problems


# --- What is written --------------------------------------------------------------------------


def test_event_is_one_entry_with_pseudonym_and_stable_id():
    root, member = StaffFactory(is_superuser=True), MemberFactory()
    update_member(actor=root, member=member, trust_score=3)
    [entry] = entries(action="member.changed")
    assert (entry.app, entry.outcome, entry.object_type, entry.object_id) == (
        "groups",
        "done",
        "groups.member",
        member.member_id,
    )
    assert entry.actor.member == root
    assert entry.actor.token != root.pk
    assert entry.details.content["payload"]["changed"] == {"trust_score": [0, 3]}
    assert row("SELECT occurred_at = now() FROM audit_entries WHERE id = %s", [entry.pk]) == (True,)
    # Nothing of the person or the change is in the sealed row.
    text = row("SELECT e::text FROM audit_entries e WHERE id = %s", [entry.pk])[0]
    assert str(root.pk) not in text
    assert "trust_score" not in text


def test_raw_update_is_audited_with_values_before_and_after():
    project, member = ProjectFactory(name="Old"), MemberFactory()
    with transaction.atomic():
        set_audit_context(member)
        Project.objects.filter(pk=project.pk).update(name="New", updated_at=timezone.now())
        Project.objects.filter(pk=project.pk).update(updated_at=timezone.now())
    [entry] = entries(action="row.changed", object_type="fallback.project")
    assert (entry.app, entry.object_id, entry.actor.member) == ("fallback", project.pk, member)
    assert entry.details.content == {"changed": {"name": ["Old", "New"]}}


def test_rows_of_settings_evidence_and_bounces_are_audited():
    member = MemberFactory()
    evidence = Evidence.objects.create(item=DodItemFactory(), kind="test", value="Old")
    Evidence.objects.filter(pk=evidence.pk).update(removed_at=timezone.now())
    BouncedAddress.objects.create(
        user=member, address="ana@example.org", reason="hard_bounce", reported_at=timezone.now()
    )
    BouncedAddress.objects.update(suppressed_at=timezone.now())
    DeckTest.objects.create(mission=evidence.item.mission, test="Slow.test_it")
    set_quiet_hours(actor=member, quiet_from=time(20), quiet_to=time(8), digest_hour=9)
    kinds = [
        f"{app}.{model}"
        for app, model in (
            ("missiondeck", "evidence"),
            ("missiondeck", "decktest"),
            ("engagement", "bouncedaddress"),
            ("fallback", "notificationsettings"),
        )
    ]
    found = [(each.object_type, each.action) for each in entries(object_type__in=kinds)]
    assert sorted(found) == [
        ("engagement.bouncedaddress", "row.added"),
        ("engagement.bouncedaddress", "row.changed"),
        ("fallback.notificationsettings", "row.added"),
        ("fallback.notificationsettings", "row.changed"),
        ("missiondeck.decktest", "row.added"),
        ("missiondeck.evidence", "row.added"),
        ("missiondeck.evidence", "row.changed"),
    ]
    texts = " ".join(str(each.details.content) for each in entries(object_type__in=kinds))
    assert "ana@example.org" not in texts


def test_rolled_back_change_leaves_no_entry():
    project = ProjectFactory()
    with transaction.atomic():
        Project.objects.filter(pk=project.pk).update(name="New")
        assert entries(action="row.changed")
        transaction.set_rollback(True)
    assert entries(action="row.changed") == []


def test_security_log_is_in_audit_once():
    member = MemberFactory()
    record_security_event("session.failed", member=member)
    record_security_event("access.denied", actor=member)
    update_member(actor=StaffFactory(is_superuser=True), member=member, email="new@example.org")
    found = [(entry.action, entry.outcome) for entry in entries(object_id=member.member_id)]
    assert found == [("session.failed", "failed"), ("member.changed", "done")]
    assert entries(action="access.denied")[0].outcome == "denied"
    left_out = {type_ for type_ in SECURITY_LABELS if type_.split(".")[0] in {"token", "role", "member", "directory"}}
    assert left_out == set()
    assert {type_.split(".")[0] for type_ in MIRRORED} == {"token", "role", "member", "directory", "project"}


def test_request_is_recorded_with_address_and_not_in_history():
    staff, client = StaffFactory(is_superuser=True), OfficeClient()
    client.force_login(staff)
    role = {"name": "Nightwatch"}
    client.post("/admin/missionsite/role/add/", role, headers={"user-agent": "Agent 7"}, REMOTE_ADDR="192.0.2.7")
    [entry] = entries(action="role.created")
    assert entry.object_id == str(Role.objects.get(name="Nightwatch").pk)
    origin = entry.details.origin
    assert (origin["address"], origin["browser"], origin["url"]) == (
        "192.0.2.7",
        "Agent 7",
        "/admin/missionsite/role/add/",
    )
    assert rows("SELECT 1 FROM pghistory_context WHERE metadata::text LIKE '%%192.0.2.7%%'") == []


def test_job_is_recorded_by_its_name():
    project = ProjectFactory()
    with changeset(job="fallback.check"):
        Project.objects.filter(pk=project.pk).update(name="New")
    assert entries(action="row.changed")[0].details.origin == {"job": "fallback.check"}


def test_every_model_with_object_pages_is_in_audit():
    """Models that the back office changes have a log or an audit of rows."""
    audited = {name for name, _table in sources.expected_triggers()}
    assert len(audited) > 40
    assert sources.missing_triggers() == []
    tables = {table for _name, table in sources.expected_triggers()}
    assert {"events", "project_activity", "security_events", "deck_status_changes"} <= tables
    assert {"projects", "mission_fallback_configs", "mission_fallback_templates", "missions", "flows"} <= tables


# --- Who may write ----------------------------------------------------------------------------


@pytest.mark.seed("004 audit events that cannot be changed for 400 days")
@pytest.mark.parametrize("role", ["missionsite_app", "missionsite_member"])
def test_runtime_roles_cannot_change_audit(role):
    """UPDATE, DELETE, TRUNCATE, INSERT, ALTER TABLE and triggers off: all are rejected for want of a privilege."""
    of_each = (
        "INSERT INTO {} SELECT * FROM {}",
        "UPDATE {} SET {} = NULL",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {}",
    )
    columns = [
        row("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [each])[0]
        for each in TABLES
    ]
    statements = [
        each.format(table, column if "UPDATE" in each else table)
        for table, column in zip(TABLES, columns, strict=True)
        for each in of_each
    ]
    for statement in (
        *statements,
        "SET session_replication_role = replica",
        "ALTER TABLE events DISABLE TRIGGER audit_of_events",
        "CREATE TRIGGER own AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION audit_of_events()",
        "SELECT add_audit_entry('a.b', '', '', '{}')",
    ):
        with pytest.raises(DatabaseError) as rejected, transaction.atomic():
            rows(f"SET LOCAL ROLE {role}; {statement}")
        assert rejected.value.__cause__.sqlstate == "42501", statement


@pytest.mark.rule(
    "audit_append_only",
    "audit_entries_no_truncate",
    "audit_details_no_truncate",
    "audit_actors_no_truncate",
    "audit_blocks_no_truncate",
    "audit_actors_append_only",
    "audit_entries_append_only",
    "audit_details_append_only",
    "audit_blocks_append_only",
    "audit_entries_stamp",
)
def test_owner_cannot_change_audit():
    with owner() as session:
        session.execute("INSERT INTO events (type) VALUES ('a.b')")
        session.execute("SELECT seal_audit()")
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for settings in (
            "",
            "SET LOCAL missionsite.erasing_audit = 'on'; SET LOCAL missionsite.deleting_audit = 'on';",
        ):
            for statement in (
                "UPDATE audit_entries SET action = 'c.d'",
                "UPDATE audit_details SET content = '{}'",
                "UPDATE audit_details SET content = NULL",
                "UPDATE audit_blocks SET digest = previous",
                "DELETE FROM audit_entries",
                "DELETE FROM audit_details",
                "DELETE FROM audit_blocks",
                "TRUNCATE audit_entries, audit_details",
                "TRUNCATE audit_blocks",
            ):
                with pytest.raises(Exception, match="append-only") as rejected, session.transaction():
                    session.execute(f"{settings} {statement}")
                assert rejected.value.diag.constraint_name == "audit_append_only", statement


def test_time_of_entry_is_not_the_callers():
    with changeset(user="nobody"):
        rows("INSERT INTO events (type, occurred_at) VALUES ('a.b', '2001-01-01')")
    assert row("SELECT occurred_at = now() FROM audit_entries WHERE action = 'a.b'") == (True,)


@pytest.mark.rule(
    "audit_entries_action_format",
    "audit_entries_outcome_known",
    "audit_blocks_entries_positive",
    "audit_blocks_chain_unique",
)
def test_entries_and_blocks_without_meaning_are_rejected():
    entry = "INSERT INTO audit_entries (app, action, outcome, origin_digest, content_digest, leaf) VALUES"
    block = """INSERT INTO audit_blocks (number, entries, newest_at, content, previous, digest)
        SELECT n, {}, now(), '', '', '' FROM generate_series(1, {}) n"""
    for rule, statement in {
        "audit_entries_action_format": f"{entry} ('groups', 'nonsense', 'done', '', '', '')",
        "audit_entries_outcome_known": f"{entry} ('groups', 'a.b', 'lost', '', '', '')",
        "audit_blocks_entries_positive": block.format(0, 1),
        "audit_blocks_chain_unique": block.format(1, 2),
    }.items():
        with owner() as session, pytest.raises(Exception, match=rule):
            session.execute(statement)


# --- Sealing and verifying --------------------------------------------------------------------


@pytest.fixture
def sealed(monkeypatch):
    """A transaction of the owner with seven entries in three blocks and one that waits; verify() reads it."""
    with owner() as session:
        for number in range(1, 9):
            session.execute("INSERT INTO events (type, payload) VALUES ('a.b', %s)", [json.dumps({"n": number})])
            if number in (3, 6, 7):
                session.execute("SELECT seal_audit()")
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        monkeypatch.setattr(sealing, "connection", session)
        yield session


def ids(session) -> list[int]:
    return [number for (number,) in session.execute("SELECT id FROM audit_entries ORDER BY id").fetchall()]


def switch_off(session) -> None:
    for table in TABLES:
        session.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def test_intact_audit_is_right(sealed):
    report = sealing.verify()
    assert report.problems == []
    assert (report.entries, report.blocks, report.waiting, report.erased) == (8, 3, 1, 0)


TAMPERING = {
    "UPDATE audit_entries SET action = 'c.d' WHERE id = {5}": "Entry {5} of block 2 was changed.",
    # With a leaf that fits, the block knows another one.
    "UPDATE audit_entries e SET object_id = 'x', leaf = audit_leaf(e) WHERE id = {2}": (
        "Entry {2} of block 1 was changed."
    ),
    "UPDATE audit_entries SET occurred_at = occurred_at + interval '1 us' WHERE id IN ({3}, {6})": (
        "Entry {3} of block 1 was changed."
    ),
    "UPDATE audit_entries SET id = id + 1000 WHERE id = {4}": "Entry {4} of block 2 is missing.",
    "DELETE FROM audit_entries WHERE id = {7}": "Entry {7} of block 3 is missing.",
    'UPDATE audit_details SET content = \'{{"payload": {{"n": 9}}}}\' WHERE entry_id = {1}': (
        "The details of entry {1} of block 1 were changed."
    ),
    # Erased by no erasure.
    "UPDATE audit_details SET content = NULL, erased_by_id = {1} WHERE entry_id = {6}": (
        "The details of entry {6} of block 2 were changed."
    ),
    "DELETE FROM audit_details WHERE entry_id = {8}": "The details of entry {8} are missing.",
    "DELETE FROM audit_pending": "Entry {8} is in no block and does not wait to be sealed.",
    "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE false; "
    "INSERT INTO audit_entries (app, action, origin_digest, content_digest, leaf) VALUES ('x', 'a.b', '', '', '')": (
        " is in no block and does not wait to be sealed."
    ),
    "DELETE FROM audit_blocks WHERE number = 2": "Block 2 is missing.",
    "UPDATE audit_blocks SET entries = 4 WHERE number = 2": "Block 2 was changed.",
    "UPDATE audit_blocks SET leaves = leaves || '\\x00' WHERE number = 3": "Block 3 was changed.",
    "UPDATE audit_blocks b SET entries = 4, digest = audit_block_digest(b) WHERE number = 1": "Block 1 was changed.",
    "UPDATE audit_blocks SET ids = NULL, leaves = NULL, deleted_at = now() WHERE number = 1": (
        "The entries of block 1 were deleted before their time."
    ),
}


def test_first_wrong_entry_is_named(sealed):
    numbers = [None, *ids(sealed)]
    switch_off(sealed)
    for statement, problem in TAMPERING.items():
        with sealed.transaction(force_rollback=True):
            sealed.execute(statement.format(*numbers))
            found = sealing.verify().problems
        assert [each for each in found if each.endswith(problem.format(*numbers))], (statement, found)


def test_every_changed_byte_of_an_entry_is_found(sealed):
    """Each column of a sealed row is covered."""
    numbers = ids(sealed)
    switch_off(sealed)
    columns = {
        "app": "'x'",
        "action": "'x.y'",
        "outcome": "'failed'",
        "actor_token": "gen_random_uuid()",
        "object_type": "'x'",
        "object_id": "'x'",
        "changeset_id": "gen_random_uuid()",
        "origin_digest": "'x'",
        "content_digest": "'x'",
        "leaf": "'x'",
        "occurred_at": "occurred_at - interval '1 us'",
    }
    assert {*columns, "id"} == {field.column for field in AuditEntry._meta.concrete_fields}
    for column, value in columns.items():
        with sealed.transaction(force_rollback=True):
            sealed.execute(f"UPDATE audit_entries SET {column} = {value} WHERE id = %s", [numbers[1]])
            assert sealing.verify().problems == [f"Entry {numbers[1]} of block 1 was changed."], column
    assert sealing.verify().problems == []


def test_cut_tail_is_noticed_with_a_published_digest(sealed, settings, tmp_path, mailoutbox):
    settings.AUDIT_DIGEST_FOLDER, settings.AUDIT_DIGEST_MAIL = str(tmp_path), ["audit@example.org"]
    digest = {"day": "2001-01-01", "block": 3}
    (digest["digest"],) = sealed.execute("SELECT encode(digest, 'hex') FROM audit_blocks WHERE number = 3").fetchone()
    assert problems(published=[digest]) == []
    switch_off(sealed)
    # Block 3 and all after it, without a trace in the database.
    last = ids(sealed)[-2:]
    for statement in (
        "DELETE FROM audit_entries WHERE id = ANY (%s)",
        "DELETE FROM audit_details WHERE entry_id = ANY (%s)",
        "DELETE FROM audit_pending WHERE entry_id = ANY (%s)",
    ):
        sealed.execute(statement, [last])
    sealed.execute("DELETE FROM audit_blocks WHERE number = 3")
    # The negative control: the database alone does not show it.
    assert problems() == []
    [problem] = problems(published=[digest])
    assert problem == "Block 3, published on 2001-01-01, is missing: the end of the audit was removed."
    for table in TABLES:
        sealed.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    sealed.execute("INSERT INTO events (type) VALUES ('a.b')")
    sealed.execute("SELECT seal_audit()")
    assert problems(published=[digest]) == ["Block 3 is not the one published on 2001-01-01."]


def test_digest_is_written_mailed_and_verified(settings, tmp_path, mailoutbox):
    settings.AUDIT_DIGEST_FOLDER, settings.AUDIT_DIGEST_MAIL = str(tmp_path / "outside"), ["audit@example.org"]
    today = timezone.now().astimezone(UTC).date()
    assert sealing.publish_digest(today) is None
    record_security_event("data.exported", file="one.csv")
    assert sealing.seal_all() == 1
    digest = sealing.publish_digest(today)
    assert json.loads((tmp_path / "outside" / f"audit-{today}.json").read_text()) == digest
    assert [path.name for path in (tmp_path / "outside").iterdir()] == [f"audit-{today}.json"]
    [mail] = mailoutbox
    assert (mail.to, json.loads(mail.body)) == (["audit@example.org"], digest)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "1 entries in 1 blocks, 0 not sealed yet" in out.getvalue()
    assert "1 published digests.\nThe audit is right." in out.getvalue()
    (tmp_path / "other.json").write_text(json.dumps(digest | {"block": 7}))
    with pytest.raises(CommandError, match=r"Block 7, published on .* is missing"):
        call_command("verify_audit", "--digests", str(tmp_path / "other.json"), stdout=out)
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(CommandError, match=r"could not be read: other\.json is no digest"):
        call_command("verify_audit", "--digests", str(tmp_path / "other.json"), stdout=out)


def test_missing_trigger_is_named(monkeypatch):
    monkeypatch.setitem(sources._logs, "heartbeats", sources.Log("groups", "heartbeats"))
    monkeypatch.setattr(sources, "read_sql", lambda name: "")
    assert problems() == ["The trigger audit_of_heartbeats on heartbeats is missing or switched off."]


@pytest.mark.django_db(transaction=True)
def test_entry_of_a_late_transaction_is_sealed_later():
    """Writers and two sealers at the same time: each entry is in exactly one block."""
    first = owner_session()
    first.execute("INSERT INTO events (type) VALUES ('late.one')")

    def write_or_seal(number: int) -> None:
        if number < 2:
            for _ in range(5):
                sealing.seal_all()
        else:
            for each in range(10):
                record_security_event("data.exported", file=f"{number}-{each}.csv")

    with crowd(4) as people:
        assert [each for each in people.run(write_or_seal) if each is not None] == []
    sealing.seal_all()
    (late,) = first.execute("SELECT id FROM audit_entries WHERE action = 'late.one'").fetchone()
    first.commit()
    first.close()
    assert sealing.verify().problems == []
    assert late < AuditEntry.objects.filter(action="data.exported").latest("pk").pk
    assert sealing.seal_all() == 1
    assert AuditBlock.objects.get(ids__contains=[late]) == AuditBlock.objects.latest("number")
    report = sealing.verify()
    assert (report.problems, report.entries, report.waiting) == ([], 21, 0)


# --- Retention --------------------------------------------------------------------------------


@pytest.mark.seed("004 audit events that cannot be changed for 400 days")
def test_old_blocks_are_deleted_and_the_rest_is_verified(monkeypatch):
    with owner() as session:
        for age in (500, 450, 390, 1):
            session.execute("INSERT INTO events (type, payload) VALUES ('a.b', %s)", [json.dumps({"age": age})])
            # As the owner, who restores; the leaf is made for this time.
            session.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only")
            session.execute(
                """UPDATE audit_entries SET occurred_at = now() - make_interval(days => %s)
                   WHERE id = (SELECT max(id) FROM audit_entries)""",
                [age],
            )
            session.execute("UPDATE audit_entries e SET leaf = audit_leaf(e)")
            session.execute("ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only")
            session.execute("SELECT seal_audit()")
        monkeypatch.setattr(sealing, "connection", session)
        assert sealing.verify().problems == []
        # Also when asked for younger entries.
        deleted = [session.execute("SELECT delete_old_audit(now())").fetchone()[0] for _ in range(3)]
        assert deleted == [1, 1, 0]
        report = sealing.verify()
        assert (report.problems, report.entries, report.deleted, report.blocks) == ([], 4, 2, 4)
        recorded = session.execute("SELECT object_id FROM audit_entries WHERE action = 'audit.deleted' ORDER BY id")
        assert recorded.fetchall() == [("1",), ("2",)]
        # The digests of emptied blocks still count.
        session.execute("ALTER TABLE audit_blocks DISABLE TRIGGER USER")
        session.execute("UPDATE audit_blocks SET entries = 7 WHERE number = 1")
        assert sealing.verify().problems == ["Block 1 was changed."]


# --- Erasing ----------------------------------------------------------------------------------


def test_erased_details_are_erased_not_wrong():
    root, entry = StaffFactory(is_superuser=True), EntryFactory(person=MemberFactory())
    person = entry.person
    with changeset(user=str(person.pk), client={"address": "192.0.2.9"}):
        record_security_event("session.started", actor=person, member=person)
    update_member(actor=root, member=person, display_name="Kanarie")
    sealing.seal_all()
    token = AuditActor.objects.get(member=person).token
    assert "192.0.2.9" in str([each.details.origin for each in entries()])
    erase(actor=root, entry=entry)
    details = {each.action: each.details for each in entries(object_id=person.member_id)}
    assert details["session.started"].origin is details["session.started"].content is None
    assert details["member.changed"].content is None
    # Where the member of staff acted from is not the erased person's.
    assert details["member.changed"].origin is not None
    actor = AuditActor.objects.get(token=token)
    assert (actor.member, actor.erased_at is None) == (None, False)
    assert [each.object_id for each in entries(action="audit.erased")] == [entry.member_id]
    report = sealing.verify()
    assert report.problems == []
    assert report.erased >= 2
