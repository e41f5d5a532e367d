"""Backups: written from the database of the tests, and restored into an empty one."""

import json
import subprocess
import sys
import tarfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from psycopg import sql

from groups.models import CommunityMember
from groups.services.directory import update_entry
from groups.services.erasure import erase
from missionsite import erasures
from missionsite.common import backup, documents
from missionsite.common.audit.sealing import seal_all, verify
from missionsite.common.erasures import recorded_erasures
from tests import database
from tests.support.factories.groups import EntryFactory, MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "kanarie"
RESTORED = "test_missionsite_restored"


@pytest.fixture(autouse=True)
def own_schema_only(monkeypatch):
    """Leave out what the tests keep in the database to restore it."""
    monkeypatch.setattr(backup, "DUMP_OPTIONS", (*backup.DUMP_OPTIONS, "--exclude-schema=baseline"))


@pytest.fixture(autouse=True)
def stored(settings, tmp_path):
    """A folder of documents of this test's own."""

    def use(name: str) -> Path:
        options = {"location": tmp_path / name}
        local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"documents": local}
        return tmp_path / name

    use("documents")
    return use


@contextmanager
def empty_database():
    """Connect to an empty database, as roles.sql makes it, within the block."""
    owner = sql.Identifier(backup.owner_settings()["USER"])
    name = sql.Identifier(RESTORED)
    with closing(database.connect()) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        session.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, owner))
    try:
        with database._named(RESTORED):
            yield
    finally:
        database.drop(RESTORED)


def text_of_database() -> str:
    """All rows of all tables of the connected database, as the superuser reads them."""
    with closing(database.connect(connection.settings_dict["NAME"])) as session:
        tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        parts = []
        for (table,) in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier("public", table))
            parts += [text for (text,) in session.execute(query)]
    return "\n".join(parts)


def person(word: str) -> CommunityMember:
    member = MemberFactory(display_name=f"{CANARY} {word}", email=f"{CANARY}-{word}@example.org")
    return EntryFactory(person=member, name=f"{CANARY} {word}", telegram_username=f"{CANARY}_{word}")


@pytest.mark.seed("site backup and restore, with erasures repeated")
def test_restored_backup_is_equal_and_erases_again(tmp_path, stored, capsys):
    actor, before, after = StaffFactory(), person("before"), person("after")
    person("kept")
    documents.write("reports/one.md", b"# One")
    for each in (before, after):
        update_entry(actor=each.person, entry=each, organization=f"{CANARY} {each.name}")
    erase(actor=actor, entry=before)
    seal_all()
    call_command("backup", str(tmp_path / "backups"))
    made = Path(capsys.readouterr().out.strip())
    with backup.connect(backup.reader_settings()) as session:
        source = backup.Description.read(session)
    erase(actor=actor, entry=after)
    call_command("backup", str(tmp_path / "newer"))
    newer = Path(capsys.readouterr().out.strip())

    stored("restored")
    with empty_database():
        assert backup.restore(made) == []
        assert f"{CANARY}_after" in text_of_database()  # The control: the backup holds who was erased later.
        with backup.connect(backup.reader_settings()) as session:
            assert source.differences(backup.Description.read(session)) == []
    assert documents.read("reports/one.md") == b"# One"

    with empty_database():
        call_command("restore", str(made), "--erasures-of", str(newer))
        assert "2 erasures are recorded; 1 of these people are erased again." in capsys.readouterr().out
        text = text_of_database()
        assert f"{CANARY}_after" not in text
        assert f"{CANARY}_before" not in text
        assert f"{CANARY}_kept" in text
        assert CommunityMember.objects.get(pk=after.pk).erased_at
        # The audit of the backup goes on, and what was erased from it is not wrong.
        assert seal_all() > 0
        assert (report := verify()).problems == []
        assert report.erased > 1
        with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute("UPDATE events SET payload = '{}'")
        # Numbers go on where they were.
        assert int(MemberFactory().member_id.rpartition("-")[2]) > int(actor.member_id.rpartition("-")[2])


def test_difference_is_named(tmp_path):
    path = backup.back_up(tmp_path)
    manifest = json.loads((path / backup.MANIFEST).read_text())
    manifest["database"]["rows"]["members"] += 1
    manifest["database"]["objects"]["policy members.imaginary"] = ""
    manifest["database"]["sequences"]["event_ids"] = 10**9
    (path / backup.MANIFEST).write_text(json.dumps(manifest))
    with empty_database():
        found = backup.restore(path)
    assert "missing: policy members.imaginary" in found
    assert [each for each in found if each.startswith("rows of members: ")]
    assert [each for each in found if each.startswith("sequence event_ids: ")]
    assert len(found) == 3


def test_damaged_backup_is_rejected(tmp_path):
    path = backup.back_up(tmp_path)
    with open(path / backup.DUMP, "r+b") as file:
        file.seek(100)
        file.write(b"damaged")
    with pytest.raises(CommandError, match="is damaged"):
        call_command("restore", str(path))


def test_database_with_tables_is_rejected(tmp_path):
    path = backup.back_up(tmp_path)
    with pytest.raises(CommandError, match="Restore into an empty one; nothing was changed"):
        call_command("restore", str(path))


def test_archive_with_a_link_is_rejected(tmp_path):
    archive = tmp_path / "documents.tar"
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(backup.BackupError, match="not a file"):
        backup._read_documents(archive)


def test_interrupted_backup_leaves_nothing(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no space left")

    monkeypatch.setattr(backup, "_write_documents", fail)
    with pytest.raises(CommandError, match="no space left"):
        call_command("backup", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_old_backups_are_deleted(tmp_path):
    for day in range(1, 4):
        folder = tmp_path / f"missionsite-2026010{day}T000000Z"
        folder.mkdir()
        (folder / backup.MANIFEST).touch()
    (tmp_path / "missionsite-20260101T000000Z.unfinished").mkdir()
    assert [each.name for each in backup.prune(tmp_path, keep=2)] == ["missionsite-20260101T000000Z"]
    assert len(list(tmp_path.iterdir())) == 3


def test_erasure_is_recorded_on_commit_and_caught_up(stored, monkeypatch):
    actor, first, second = StaffFactory(), person("first"), person("second")
    erase(actor=actor, entry=first)
    assert set(recorded_erasures()) == {str(first.pk)}
    broken = stored("broken")
    broken.write_text("a file in place of the folder")
    erase(actor=actor, entry=second)
    broken.unlink()
    assert erasures.record_missing() == 2
    assert set(recorded_erasures()) == {str(first.pk), str(second.pk)}
    assert erasures.record_missing() == 0


@pytest.mark.seed("site backup and restore, with erasures repeated")
@pytest.mark.long
def test_restore_drill():
    drill = [sys.executable, str(settings.BASE_DIR / "bin/restore_drill.py")]
    done = subprocess.run(drill, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 passed, 0 failed" in done.stdout
