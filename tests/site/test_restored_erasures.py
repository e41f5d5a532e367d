"""After a restore, no text of a person who was erased since the backup is left: every column, file, job and log."""

from pathlib import Path

import pytest
from django.core.management import call_command

from groups.models import Member
from groups.selectors.people import person_of_account, person_of_entry
from groups.services.erasure import erase
from groups.services.merging import merge_people
from missionsite.common import backup, documents
from tests.groups.erasing import CANARY, PLANTED, live, owner_session, plant, search
from tests.site.test_backup import empty_database, own_schema_only, stored  # noqa: F401 - fixtures
from tests.support.database import row
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> dict[str, set]:
    with owner_session() as session:
        return {word: search(session, word) for word in (CANARY, PLANTED)}


@pytest.mark.long
@pytest.mark.seed("site backup and restore, with erasures repeated")
@pytest.mark.seed("003 Erase")
def test_no_canary_is_left_after_restore(tmp_path, stored, capsys, caplog):  # noqa: F811 - the fixture
    system = Member.objects.system()
    used, _client = live(CANARY)
    filled, _client = live("someone")
    absorbed = MemberFactory(display_name=f"Also {CANARY}", email=f"also-{CANARY}@example.org")
    merge_people(actor=system, kept=person_of_entry(filled), absorbed=person_of_account(absorbed))
    with owner_session() as session:
        planted = plant(session, filled, PLANTED)
    before = found()
    assert before[PLANTED] == set(planted.values())
    assert len(planted) > 60
    assert row("SELECT count(*) > 0 FROM procrastinate_jobs") == (True,)
    documents.write("reports/one.md", b"# One")

    def back_up(name: str) -> Path:
        call_command("backup", str(tmp_path / name))
        return Path(capsys.readouterr().out.strip())

    made = back_up("backups")
    for entry in (used, filled):
        erase(actor=system, entry=entry)
    assert found() == {CANARY: set(), PLANTED: set()}
    newer = back_up("newer")

    folder = stored("restored")
    caplog.clear()
    with empty_database():
        assert backup.restore(made) == []
        # The control: the backup has all of it.
        assert found() == before
    with empty_database():
        call_command("restore", str(made), "--erasures-of", str(newer))
        assert found() == {CANARY: set(), PLANTED: set()}
    for word in (CANARY, PLANTED):
        assert word not in caplog.text
        assert word not in capsys.readouterr().out
        assert [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()] == []
