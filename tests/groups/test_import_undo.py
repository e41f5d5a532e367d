"""Undoing an import, and importing the site's own export."""

import csv
import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from groups.errors import ImportUndone, NoSuchImport
from groups.models import CommunityMember, Event, Member
from groups.services.directory import approve
from groups.services.import_undo import past_imports, undo_import
from groups.services.memberships import join_mission
from tests.groups.import_files import ANA, BRUNO, FULL, bring, counts, entry_of
from tests.support.admin import client, page_text
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory, MissionFactory

pytestmark = pytest.mark.django_db
IMPORT = "/admin/groups/communitymember/import/"
EXPORT = "/admin/groups/communitymember/export/"


@pytest.fixture(autouse=True)
def system(db):
    return Member.objects.system()


def stored() -> list[dict]:
    """Return the rows of people, without the time of the last change."""
    people = Member.objects.order_by("pk").values("pk", "email", "display_name", "trust_score", "is_active")
    entries = CommunityMember.objects.order_by("pk").values()
    return [*people, *({name: value for name, value in row.items() if name != "updated_at"} for row in entries)]


def undo_latest(system: Member):
    return undo_import(actor=system, changeset=past_imports()[0].changeset)


def test_undo_sets_changed_rows_back(system):
    bring(FULL + ANA + BRUNO)
    before = stored()
    swapped = [entry_of("ana@example.org").person.member_id, entry_of("bruno@example.org").person.member_id]
    report = bring(
        "member_id,email,name,trust_score,telegram_id,country,github_username\n"
        f"{swapped[0]},bruno@example.org,Ana B,7,1002,Chile,other-name\n{swapped[1]},ana@example.org,,,1001,,\n"
    )
    assert counts(report) == (0, 2, 0, 0), report.errors
    assert stored() != before
    undone = undo_latest(system)
    assert (undone.restored, undone.removed, undone.kept) == (2, 0, [])
    assert stored() == before
    assert Event.objects.filter(type="directory.import_undone").count() == 1


def test_undo_removes_added_people_and_frees_their_values(system):
    content = FULL + ANA + "carla@example.org,Carla,,,,,,,\n"
    bring(content)
    added = Member.objects.get(email="carla@example.org")
    undone = undo_latest(system)
    assert (undone.restored, undone.removed) == (0, 2)
    added.refresh_from_db()
    assert not added.is_active
    assert CommunityMember.objects.get().is_removed
    assert not CommunityMember.objects.present().exists()
    assert counts(bring(content)) == (2, 0, 0, 0), "the corrected file can be imported again"


def test_undo_keeps_who_was_changed_or_active_since(system):
    bring(FULL + ANA + BRUNO + "carla@example.org,Carla,,,,,,,\nedu@example.org,Edu,,,,,,,\n")
    approve(actor=system, entry=entry_of("ana@example.org"))
    join_mission(
        actor=system, member=Member.objects.get(email="carla@example.org"), mission=MissionFactory(min_trust_score=0)
    )
    undone = undo_latest(system)
    assert (undone.removed, undone.kept_count) == (2, 2)
    assert [name.rpartition(" ")[0] for name in undone.kept] == ["Ana Silva", "Carla"]
    assert entry_of("ana@example.org").status == "active"
    assert Member.objects.get(email="carla@example.org").is_active
    assert not Member.objects.filter(email="edu@example.org").exists()


def test_import_is_undone_once(system):
    bring(FULL + ANA)
    changeset = past_imports()[0].changeset
    undo_import(actor=system, changeset=changeset)
    with pytest.raises(ImportUndone):
        undo_import(actor=system, changeset=changeset)
    with pytest.raises(NoSuchImport):
        undo_import(actor=system, changeset=uuid.uuid4())


def test_command_lists_and_undoes(system):
    bring(FULL + ANA, name="people.csv")
    out = io.StringIO()
    call_command("undo_import", stdout=out)
    assert "1 added, 0 updated  people.csv" in out.getvalue()
    call_command("undo_import", out.getvalue().split()[0], stdout=out)
    assert "0 set back, 1 removed, 0 kept." in out.getvalue()


def test_manager_undoes_import_on_the_page():
    community = client("Community Manager")
    upload = SimpleUploadedFile("list.csv", b"Email Address,First Name,Last Name\na@b.org,Ana,Souza\n", "text/csv")
    assert community.post(IMPORT, {"file": upload}).status_code == 302
    response = community.get(IMPORT)
    assert "list.csv" in page_text(response)
    (past,) = response.context["past_imports"]
    address = f"{IMPORT}{past.changeset}/undo/"
    assert "list.csv: 1 added, 0 updated." in page_text(community.get(address))
    response = community.post(address, {})
    assert "Import undone: 0 set back, 1 removed." in page_text(community.get(response["Location"]))
    assert not Member.objects.filter(email="a@b.org").exists()
    assert client("Auditor").get(address).status_code == 403


# --- Round trip ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_own_export_comes_back_with_exactly_the_changed_cells(form):
    community = client("Community Manager")
    for number in range(30):
        EntryFactory(
            person=MemberFactory() if number % 3 else None,
            name=["=1+1", "João “Zé”", "'quoted", "+5", "Ana"][number % 5],
            telegram_id=str(1000 + number),
            country=[None, "Brasil", "@home"][number % 3],
            organization="Lab",
        )
    response = community.get(f"{EXPORT}?format={form}")
    body = b"".join(response.streaming_content)
    if form == "xlsx":
        assert counts(bring(body)) == (0, 20, 10, 0), "names of entries and accounts differ"
        assert counts(bring(body)) == (0, 0, 30, 0)
        return
    bring(body)
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    header = rows[0]
    for number in range(10):
        rows[number * 2 + 1][header.index("country")] = f"Country {number}"
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    report = bring(text.getvalue(), dry_run=True)
    assert counts(report) == (0, 10, 20, 0), report.errors
    assert [len(change.changes) for change in report.preview] == [1] * 10
