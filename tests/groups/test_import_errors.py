"""Errors of an import of members: by line and column, and for whole files."""

import io
import tracemalloc

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from groups.models import CommunityMember, Member
from groups.models.members import SYSTEM_MEMBER_ID
from groups.services.import_columns import known_headings
from groups.services.import_files import LineError
from groups.services.imports import import_members
from missionsite.common import csvfiles
from missionsite.common.csvfiles import CsvFile, FileUnreadable
from tests.groups.import_files import ANA, BRUNO, FULL, ana, bring, counts, entry_of, everything
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def system(db):
    """Create the system member, who imports unless a test names another actor."""
    return Member.objects.system()


# --- Errors of a row -----------------------------------------------------------------


LONG = "x" * 256


@pytest.mark.parametrize(
    ("changes", "column", "sentence"),
    [
        ({"email": "", "telegram_id": "", "trust_score": ""}, "email", "Enter an e-mail address or a Telegram ID."),
        ({"email": ""}, "trust_score", "Only members with an e-mail have a trust score."),
        ({"email": "ana.example.org"}, "email", "“ana.example.org” is not a valid e-mail address."),
        ({"email": "ana@example"}, "email", "“ana@example” is not a valid e-mail address."),
        ({"email": "ana @example.org"}, "email", "“ana @example.org” is not a valid e-mail address."),
        (
            {"email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.org"},
            "email",
            "Enter at most 255 characters.",
        ),
        ({"name": "  "}, "name", "Enter a name."),
        ({"name": LONG}, "name", "Enter at most 255 characters."),
        ({"trust_score": "-1"}, "trust_score", "The trust score must be zero or more."),
        ({"trust_score": "1.5"}, "trust_score", "The trust score must be a whole number, not “1.5”."),
        ({"trust_score": "many"}, "trust_score", "The trust score must be a whole number, not “many”."),
        ({"trust_score": "0x10"}, "trust_score", "The trust score must be a whole number, not “0x10”."),
        ({"trust_score": "1_000"}, "trust_score", "The trust score must be a whole number, not “1_000”."),
        ({"trust_score": "٣"}, "trust_score", "The trust score must be a whole number, not “٣”."),
        ({"trust_score": "2147483648"}, "trust_score", "The trust score must be at most 2147483647."),
        ({"trust_score": "9" * 40}, "trust_score", "The trust score must be at most 2147483647."),
        ({"telegram_id": "0"}, "telegram_id", "A Telegram ID is a number, such as 123456789."),
        ({"telegram_id": "1" * 21}, "telegram_id", "A Telegram ID is a number, such as 123456789."),
        ({"telegram_id": "ana"}, "telegram_id", "A Telegram ID is a number, such as 123456789."),
        ({"telegram_id": "+55 11 99999-0000"}, "telegram_id", "This looks like a phone number."),
        ({"telegram_id": "9,00013E+09"}, "telegram_id", "its last digits are lost"),
        ({"telegram_username": LONG}, "telegram_username", "A Telegram name has 4 to 32 letters"),
        ({"telegram_username": "Elza Souza"}, "telegram_username", "A Telegram name has 4 to 32 letters"),
        ({"name": '=HYPERLINK("http://example.org","x")'}, "name", "This is a formula of a spreadsheet"),
        ({"primary_role": ""}, "primary_role", "A new directory entry needs a role."),
        ({"primary_role": "wizard"}, "primary_role", "There is no role “wizard”. Valid roles are student, developer,"),
        ({"organization": LONG}, "organization", "Enter at most 255 characters."),
        ({"country": "x" * 101}, "country", "Enter at most 100 characters."),
        ({"github_username": LONG}, "github_username", "A GitHub name has up to 39 letters, digits and hyphens."),
        ({"member_id": "FE-P-99999999"}, "member_id", "There is no member “FE-P-99999999”."),
        ({"member_id": "247"}, "member_id", "There is no member “247”."),
        ({"organization": "a\x00b"}, "organization", "NUL"),
    ],
)
def test_invalid_value_is_named_with_line_and_column(changes, column, sentence):
    before = everything()
    report = bring(ana(**changes))
    assert counts(report) == (0, 0, 0, 1)
    assert [(error.line, error.column) for error in report.errors] == [(2, column)]
    assert sentence in report.errors[0].sentence
    assert everything() == before


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ana@example.org,Ana,x\n", "This line has 3 values; the header names 2 columns."),
        ('"ana@example.org"x,Ana\n', "Inside a quoted value, write a quotation mark twice."),
    ],
)
def test_unparsable_row_is_rejected(line, sentence):
    report = bring("email,name\nbruno@example.org,Bruno\n" + line + "carla@example.org,Carla\n", skip_bad=True)
    assert counts(report) == (2, 0, 0, 1)
    (error,) = report.errors
    assert (error.line, error.column) == (3, "")
    assert sentence in error.sentence


def test_all_errors_of_a_line_are_reported():
    report = bring(ana(email="nowhere", name="", trust_score="-4", primary_role="wizard"))
    assert [(error.line, error.column) for error in report.errors] == [
        (2, "email"),
        (2, "name"),
        (2, "primary_role"),
        (2, "trust_score"),
    ]
    assert report.error_count == 4


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_match_editor(end):
    text = end.join(
        [
            "email,name",
            'ana@example.org,"Ana',
            "",
            'Silva"',
            "",
            "bruno@example.org,B,x",
            '"carla@',
            'x",Carla',
            "nowhere,D",
        ]
    )
    report = bring(text)
    assert [(error.line, error.column) for error in report.errors] == [(6, ""), (7, "email"), (9, "email")]
    assert [(warning.line, warning.column) for warning in report.warnings] == [(2, "name")]


def test_duplicate_lines_are_rejected():
    person = MemberFactory(email="old@example.org")
    report = bring(
        "email,name,telegram_id,primary_role,member_id\n"
        "ana@example.org,Ana,1001,other,\n"
        "ANA@example.org,Ana,1002,other,\n"
        "bruno@example.org,Bruno,1001,other,\n"
        f"new@example.org,Carla,,,{person.member_id}\n"
        "old@example.org,Carla,,,\n"
        "Ana@Example.org,Ana,,,\n"
    )
    assert counts(report) == (1, 1, 0, 4)
    assert report.errors == [
        LineError(3, "email", "This e-mail is already on line 2."),
        LineError(4, "telegram_id", "This Telegram ID is already on line 2."),
        LineError(6, "member_id", "This member is already on line 5."),
        LineError(7, "email", "This e-mail is already on line 2."),
    ]


def test_invalid_emails_are_not_duplicates():
    report = bring("email,name\nunknown,Ana\nunknown,Bruno\n")
    assert [error.sentence for error in report.errors] == ["“unknown” is not a valid e-mail address."] * 2


def test_value_of_another_member_is_rejected():
    bring(FULL + ANA + BRUNO)
    first, second = entry_of("ana@example.org"), entry_of("bruno@example.org")
    unlinked = CommunityMember.objects.create(name="Old", telegram_id="1003", primary_role="other")
    unlinked.refresh_from_db()
    report = bring(
        "email,name,telegram_id,primary_role,member_id\n"
        f"ana@example.org,Bruno Costa,1002,other,{second.person.member_id}\n"
        "carla@example.org,Carla,1001,other,\n"
        "diego@example.org,Diego,1003,other,\n"
    )
    assert report.errors == [
        LineError(2, "email", f"Another member has this e-mail: {first.person.member_id}."),
        LineError(3, "telegram_id", f"Another member has this Telegram ID: {first.member_id}."),
        LineError(4, "telegram_id", f"Another member has this Telegram ID: {unlinked.member_id}."),
    ]


def test_swap_with_rejected_row_is_rejected():
    """Each row of a chain needs the next one: none may be written without the others."""
    one, other, third = MemberFactory(), MemberFactory(), MemberFactory()
    text = "email,name,member_id\n" + "".join(
        f"{owner.email},{name},{each.member_id}\n"
        for owner, name, each in ((other, "A", one), (third, "B", other), (one, "C" * 256, third))
    )
    before = everything()
    report = bring(text, skip_bad=True)
    assert counts(report) == (0, 0, 0, 3)
    assert {error.line for error in report.errors} == {2, 3, 4}
    assert everything() == before


def test_removed_and_erased_entries_are_rejected():
    bring(FULL + ANA + BRUNO)
    now = timezone.now()
    CommunityMember.objects.filter(telegram_id="1001").update(deleted_at=now)
    CommunityMember.objects.filter(telegram_id="1002").update(deleted_at=now)
    CommunityMember.objects.filter(telegram_id="1002").update(erased_at=now)
    report = bring(FULL + ANA.replace("40", "41") + BRUNO)
    assert [(error.line, error.column, error.sentence.partition(". ")[0]) for error in report.errors] == [
        (2, "telegram_id", "This member was removed from the directory"),
        (3, "telegram_id", "The personal data of this member was erased"),
    ]


def test_staff_lines_require_grant_permission(system):
    administrator = Member.objects.create_superuser("root@example.org", display_name="Root")
    staff, clerk, granting = StaffFactory(), StaffFactory(), StaffFactory()
    granting.user_permissions.add(Permission.objects.get(codename="grant_access"))
    text = "email,name\n" + "".join(f"{each.email},Other\n" for each in (administrator, staff, system))
    for actor, rejected in ((clerk, [2, 3, 4]), (granting, [2, 4]), (administrator, [4]), (system, [4])):
        report = bring(text, actor=actor, dry_run=True)
        assert [error.line for error in report.errors] == rejected, actor
        assert {error.column for error in report.errors} == {"member_id"}
    same = "email,name\n" + "".join(f"{each.email},{each.display_name}\n" for each in (administrator, staff, system))
    assert counts(bring(same, actor=clerk)) == (0, 0, 3, 0), "a row that changes nothing is nobody's business"


# --- Errors of a file ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n \n", "The file is empty."),
        (b"first,shoe_size\n", "has no column that identifies a person"),
        (b"shoe_size,weight\n", "No known column heading is in the first 20 lines"),
        (b"email,name,Email\n", "“email” and “Email” are both read as email. Leave one of them out."),
        (b"telegram_username,country\n", "The header on line 1 has no column that identifies a person"),
        (
            "email,name\nana@example.org,José\n".encode() + b"j@example.org,Jos\xe9\n",
            "Line 3 is not UTF-8 text, unlike",
        ),
        ("email,name\na@b.org,Иван\n".encode("cp1251"), "Line 2 is not UTF-8 text, and the encoding"),
        (b"PK\x03\x04 no workbook", "cannot be read as XLSX"),
        (b'email,name\na@example.org,A\nb@example.org,"B\nc@example.org,C\n', "A quotation mark opens on line 3"),
        (b"email,name\na@example.org,A\n" + b"x" * 100_001, "The row that begins on line 3 is longer than 100,000"),
        (b'email,name\na@example.org,"' + b"y\n" * 60_000 + b'"\n', "The row that begins on line 2 is longer than"),
    ],
)
def test_unreadable_file_is_rejected(content, sentence):
    with pytest.raises(FileUnreadable) as rejected:
        bring(content, skip_bad=True)
    assert sentence in rejected.value.message
    assert not Member.objects.exclude(pk=SYSTEM_MEMBER_ID).exists()


def test_encoding_error_names_line_in_large_file():
    lines = [f'"p{number}@example.org","É\n{number}"\r\n'.encode() for number in range(20_000)]
    lines[15_000] = b"\xff@example.org,P\r\n"
    with pytest.raises(FileUnreadable, match=r"Line 30002 is not UTF-8"):
        bring(b"email,name\r\n" + b"".join(lines))


class Upload(io.RawIOBase):
    """A file of a given size that counts the bytes read."""

    def __init__(self, size: int) -> None:
        self.size, self.position, self.largest_piece = size, 0, 0
        self.line = b"email,name\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "read in pieces"
        self.largest_piece = max(self.largest_piece, size)
        size = min(size, self.size - self.position)
        row = b"person@example.org,Person\n"
        piece = (row * (size // len(row) + 2))[self.position % len(row) :][:size]
        if self.position == 0:
            piece = (self.line + piece)[:size]
        self.position += len(piece)
        return piece


def test_file_over_size_limit_is_not_read(settings):
    settings.IMPORT_BYTES = 300_000
    upload = Upload(50_000_000)
    with pytest.raises(FileUnreadable, match="larger than 300,000 bytes"):
        import_members(actor=Member.objects.system(), file=upload)
    assert upload.position < 600_000


def test_large_file_is_read_in_little_memory():
    upload = Upload(2_000_000)
    tracemalloc.start()
    try:
        rows = sum(1 for _ in CsvFile(upload, recognize=known_headings, largest=50_000_000).rows())
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows > 75_000
    assert peak < 1_000_000


def test_too_many_rows_are_rejected(monkeypatch):
    monkeypatch.setattr(csvfiles, "MOST_ROWS", 2)
    bring("email,name\na@example.org,A\n\nb@example.org,B\n")
    with pytest.raises(FileUnreadable, match="more than 2 rows"):
        bring("email,name\na@example.org,A\nb@example.org,B\nc@example.org,C\n")
