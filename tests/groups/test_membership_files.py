"""Memberships exported, changed and imported again: page, command, job, errors by line, and undoing."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from python_calamine import CalamineWorkbook

from groups.models import Event, Member, Membership, PeopleJob
from groups.selectors.people import person_of_account
from groups.services.import_undo import past_imports, undo_import
from groups.services.membership_files import import_memberships
from groups.services.memberships import change_role
from groups.services.merging import merge_people
from groups.tasks import run_people_job
from missionsite.common.sheets import write_xlsx
from tests.groups.import_files import counts
from tests.support.admin import client, page_text
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/groups/membership/"
MARCH = datetime(2024, 3, 1, 9, tzinfo=UTC)
HEADER = "member_id,mission_id,number,role,role_until,status,joined_at,left_at\n"


@pytest.fixture(autouse=True)
def system(db):
    return Member.objects.system()


@pytest.fixture
def garden():
    """A mission with five members; the first left, and came back."""
    mission = MissionFactory(name="Garden", min_trust_score=0)
    people = MemberFactory.create_batch(5)
    MembershipFactory(
        member=people[0], group=mission, joined_at=MARCH, left_at=MARCH + timedelta(days=9), status="left"
    )
    for day, member in enumerate(people, 20):
        MembershipFactory(member=member, group=mission, joined_at=MARCH + timedelta(days=day))
    return mission


def bring(text: str, **options):
    return import_memberships(**{"actor": Member.objects.system()} | options, file=io.BytesIO(text.encode()))


def stored() -> list[tuple]:
    return list(Membership.objects.order_by("pk").values_list("pk", "role", "role_until", "status", "left_at"))


def exported(query: str = "") -> list[dict]:
    answer = client("Community Manager").get(f"{PAGE}export/?{query}")
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def as_file(rows: list[dict]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_export_changed_in_ten_cells_makes_ten_changes(garden):
    for _each in range(2):
        MembershipFactory.create_batch(3, group=MissionFactory(min_trust_score=0), joined_at=MARCH)
    rows = exported()
    assert counts(bring(as_file(rows))) == (0, 0, len(rows), 0)
    active = [row for row in rows if row["status"] == "active"]
    for row in active[:8]:
        row["role"] = "'=Lead"
    active[8]["status"] = "left"
    active[9]["left_at"] = "2026-03-01"
    report = bring(as_file(rows))
    assert counts(report) == (0, 10, len(rows) - 10, 0), report.errors
    assert Membership.objects.filter(role="=Lead").count() == 8
    assert Membership.objects.filter(status="left").count() == 3
    # The written file is in the format of the export, whose next import changes nothing.
    assert counts(bring(as_file(exported()))) == (0, 0, len(rows), 0)


def test_filtered_workbook_keeps_numbers(garden):
    office = client("Community Manager")
    content = b"".join(office.get(f"{PAGE}export/?status__exact=active&format=xlsx"))
    rows = CalamineWorkbook.from_object(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    number = rows[0].index("number")
    assert sorted(row[number] for row in rows[1:]) == ["1", "1", "1", "1", "2"]
    rows[1][rows[0].index("role")] = "Mentor"
    file = write_xlsx([[str(cell) for cell in row] for row in rows])
    assert counts(import_memberships(actor=Member.objects.system(), file=file)) == (0, 1, 4, 0)


def test_rows_add_change_and_end(garden, system):
    first, second = Membership.objects.filter(status="active").order_by("joined_at")[:2]
    new, past = MemberFactory(), MemberFactory()
    mission = garden.stable_id
    report = bring(
        "member_id;Missão;papel;role_until;entrou em;saiu em\n"
        f"{first.member.member_id};Garden;Lead;2999-01-01;;\n"
        f"{second.member.member_id};Garden;;;;2024-05-01\n"
        f"{new.member_id.lower()};Garden;Mentor;;01.04.2024;\n"
        f"{past.member_id};Garden;;;2024-03-01;2024-03-31T12:00:00+00:00\n",
        name="list.csv",
    )
    assert counts(report) == (2, 2, 0, 0), report.errors
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.role, first.role_until.year, second.status) == ("Lead", 2999, "left")
    assert Membership.objects.get(member=new).joined_at == datetime(2024, 4, 1, tzinfo=UTC)
    assert (Membership.objects.get(member=past).status, mission) == ("left", garden.stable_id)
    event = Event.objects.get(type="membership.imported")
    assert (event.payload["added"], event.payload["updated"], event.payload["file"]) == (2, 2, "list.csv")
    assert Event.objects.filter(changeset_id=event.changeset_id, type="membership.created").count() == 2


def test_errors_name_line_and_column(garden):
    returned = Membership.objects.get(status="left")
    active = Membership.objects.filter(status="active").exclude(member=returned.member).first()
    poor = MissionFactory(min_trust_score=900, name="Far")
    MissionFactory.create_batch(2, name="Twice")
    archived = MissionFactory(status="archived")
    who, garden_id = active.member.member_id, garden.stable_id
    wrong = {
        f"FE-P-99999,{garden_id},,,,,,": "There is no member",
        f"{who},FE-M-99999,,,,,,": "There is no mission",
        f"{who},{garden_id},,,soon,,,": "Write a time as",
        f"{who},{garden_id},x,,,,,": "whole number",
        f"{who},{garden_id},,,,maybe,,": "The status is",
        f"{who},{garden_id},1,,,,2023-01-01,": "cannot be changed",
        f"{returned.member.member_id},{garden_id},1,,,active,,": "has ended",
        f"{who},{garden_id},,,,,2024-06-25,": "at that time already",
        f"{who},{garden_id},,,,left,2023-01-01,": "joining and leaving dates",
        f"{who},{garden_id},1,,,,,2999-01-01": "in the future",
        f"{who},{poor.stable_id},,,,,,": "900",
        f"{who},{archived.stable_id},,,,,,": "archived",
        f"{who},{garden_id},1,=SUM(A1),,,,": "formula",
    }
    before = stored()
    errors_to = io.BytesIO()
    report = bring(HEADER + "\n".join(wrong) + "\n", errors_to=errors_to)
    assert counts(report) == (0, 0, 0, len(wrong))
    for error, (row, sentence) in zip(report.errors, wrong.items(), strict=True):
        assert sentence in error.sentence, (row, error)
    assert [error.line for error in report.errors] == list(range(2, len(wrong) + 2))
    assert errors_to.getvalue().decode().count("\n") == len(wrong) + 1
    assert stored() == before
    same = f"{who},Garden,1,Lead\n"
    assert "already on line 2" in bring(f"member_id,mission,number,role\n{same}{same}").errors[0].sentence
    assert "Several missions" in bring(f"member_id,mission\n{who},Twice\n").errors[0].sentence


def test_check_writes_nothing_and_shows_changes(garden):
    row, before = exported()[0], stored()
    row["role"] = "Lead"
    office = client("Mission Manager")
    file = SimpleUploadedFile("m.csv", as_file([row]).encode())
    text = page_text(office.post(f"{PAGE}import/", {"file": file, "dry_run": "on"}))
    assert "1 to update" in text
    assert "<del>Member</del> → Lead" in text
    assert stored() == before
    assert not Event.objects.filter(type="membership.imported").exists()


def test_page_imports_and_undoes(garden, system):
    before = stored()
    office = client("Mission Manager")
    first, second, third = Membership.objects.filter(status="active").order_by("joined_at")[:3]
    new = MemberFactory()
    content = "Who,mission_id,role,left_at\n" + "".join(
        f"{member.member_id},{garden.stable_id},{rest}\n"
        for member, rest in (
            (first.member, "Lead,"),
            (second.member, ",2024-05-01"),
            (third.member, "Tutor,"),
            (new, ","),
        )
    )
    file = SimpleUploadedFile("m.csv", content.encode())
    assert "Choose which columns" in page_text(office.post(f"{PAGE}import/", {"file": file}))
    file.seek(0)
    assert office.post(f"{PAGE}import/", {"file": file, "column:Who": "member_id"}).status_code == 302
    change_role(actor=system, membership=third, role="Guide")
    (past,) = past_imports()
    assert (past.file, past.added, past.updated) == ("m.csv", 1, 3)
    assert "m.csv" in page_text(office.get(f"{PAGE}import/"))
    assert office.post(f"{PAGE}import/{past.changeset}/undo/", {}).status_code == 302
    kept = {row[0]: row for row in stored()}
    assert kept.pop(third.pk)[1] == "Guide"
    added = Membership.objects.get(member=new)
    assert (added.status, added.left_at) == ("left", added.joined_at)
    assert [row for row in stored() if row[0] in kept and row[0] != added.pk] == [
        row for row in before if row[0] != third.pk
    ]
    # The choice of columns is remembered.
    file.seek(0)
    assert counts(bring(content, dry_run=True))[3] == 0


def test_command_imports_checks_and_undoes(garden, tmp_path, system):
    path, out = tmp_path / "m.csv", io.StringIO()
    member = MemberFactory()
    path.write_text(f"member_id,mission,role\n{member.member_id},Garden,Lead\n", "utf-8")
    call_command("import_memberships", str(path), "--dry-run", stdout=out)
    assert "1 to add, 0 to update" in out.getvalue()
    assert not Membership.objects.filter(member=member).exists()
    call_command("import_memberships", str(path), stdout=out)
    assert Membership.objects.get(member=member).role == "Lead"
    undo_import(actor=system, changeset=past_imports()[0].changeset)
    path.write_text("member_id\nFE-P-00001\n", "utf-8")
    with pytest.raises(CommandError, match="one for the mission"):
        call_command("import_memberships", str(path))


def test_absorbed_member_is_the_kept_one(garden, system):
    kept, twin = MemberFactory(), MemberFactory()
    merge_people(actor=system, kept=person_of_account(kept), absorbed=person_of_account(twin))
    assert counts(bring(f"member_id,mission\n{twin.member_id},Garden\n")) == (1, 0, 0, 0)
    assert Membership.objects.get(group=garden, member=kept).is_active


@pytest.mark.django_db(transaction=True)
def test_import_of_memberships_runs_as_a_job(garden, settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "documents": settings.STORAGES["documents"] | {"OPTIONS": {"location": str(tmp_path)}}
    }
    office = client("Mission Manager")
    file = SimpleUploadedFile("m.csv", f"member_id,mission\n{MemberFactory().member_id},Garden\nx,Garden\n".encode())
    office.post(f"{PAGE}import/", {"file": file, "background": "on", "skip_bad": "on"})
    job = PeopleJob.objects.get()
    run_people_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.results) == ("done", {"added": 1, "rejected": 1})
    assert b"There is no member" in b"".join(office.get(f"/admin/groups/peoplejob/{job.pk}/report/"))
