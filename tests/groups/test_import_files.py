"""Files as spreadsheets and other programs write them: taken right, repaired with a warning, or rejected by name."""

import io
import zipfile

import pytest

from groups.models import CommunityMember, Member
from groups.services.import_files import ImportChoices
from missionsite.common.csvfiles import FileUnreadable, HeadingUnknown
from missionsite.common.sheets import write_xlsx
from missionsite.portal.forms import RegistrationForm
from tests.groups.import_files import ana, bring, counts, entry_of
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def system(db):
    return Member.objects.system()


def name_of(email: str) -> str:
    return Member.objects.get(email=email).display_name


def sentences(report) -> str:
    return " | ".join([*report.notes, *(f"{w.line} {w.column} {w.sentence}" for w in report.warnings)])


@pytest.mark.parametrize(
    ("content", "name", "note"),
    [
        ("\ufeffEmail,Name\r\na@b.org,João Conceição\r\n".encode(), "João Conceição", ""),
        ("\ufeffemail;name;trust_score\r\na@b.org;João;250,00\r\n".encode(), "João", "Separator: ;"),
        ("email,name\ra@b.org,Inês Gonçalves\r".encode("mac_roman"), "Inês Gonçalves", "Encoding: Mac Roman."),
        (
            "email;name\r\na@b.org;José D\u2019Ávila\r\n".encode("cp1252"),
            "José D\u2019Ávila",
            "Encoding: Windows-1252.",
        ),
        ("email\tname\r\na@b.org\tŁukasz Żak\r\n".encode("utf-16"), "Łukasz Żak", "Encoding: UTF-16."),
        ("email\tname\na@b.org\tLukasz\n".encode("utf-16-le"), "Lukasz", "Encoding: UTF-16."),
        (b"email|name\na@b.org|Ana\n", "Ana", "Separator: |"),
        (b"sep=;\r\nemail;name\r\na@b.org;Souza, Ana\r\n", "Souza, Ana", "Separator: ;"),
        (b"Lista de membros,\r\n,\r\nemail,name\r\na@b.org,Ana\r\n", "Ana", "above the heading: “Lista de membros”"),
        (b"email,name,,\r\na@b.org,Ana,,\r\n", "Ana", ""),
        (b"email,name,country\na@b.org,Ana\n", "Ana", ""),
        ("\ufeff\ufeffemail,name\r\na@b.org,Ana\r\n".encode(), "Ana", ""),
        (b"email,name\r\na@b.org,Ana\r\n\x1a", "Ana", ""),
        ('email,name\na@b.org,José "Zé" Lima\n'.encode(), 'José "Zé" Lima', ""),
        ("email,name\na@b.org\u00a0,João\u00a0 Silva\n".encode(), "João  Silva", "Invisible characters"),
        (b"email,name\nmailto:a@b.org,Ana\n", "Ana", "was read as “a@b.org”"),
        (b"email,name\nAna <a@b.org>,Ana\n", "Ana", "was read as “a@b.org”"),
        (b'email,name\na@b.org,"Ana\r\nSouza"\n', "Ana Souza", "Line breaks were replaced"),
        (b"email,name,country\na@b.org,Ana,NULL\n", "Ana", "“NULL” was read as an empty cell."),
    ],
)
def test_file_is_taken_right(content, name, note):
    report = bring(content)
    assert counts(report) == (1, 0, 0, 0), report.errors
    assert name_of("a@b.org") == name
    assert note in sentences(report)


@pytest.mark.parametrize(
    ("header", "row", "name", "extra"),
    [
        ("E-mail,Full Name", "a@b.org,João", "João", {}),
        (
            "Carimbo de data/hora,Endereço de e-mail,Nome completo,ID do Telegram,Usuário do Telegram,País,Papel",
            "28/11/2026 10:15:00,a@b.org,João,900090,@joao_c,Brasil,desenvolvedora",
            "João",
            {"telegram_username": "joao_c", "country": "Brasil", "primary_role": "developer"},
        ),
        (
            "First Name,Middle Name,Last Name,Organization Name,Labels,E-mail 1 - Value,Phone 1 - Value",
            "João,,Conceição,Coop,* myContacts,a@b.org,+55 11 99999-0000",
            "João Conceição",
            {},
        ),
        ("Email Address,First Name,Last Name,MEMBER_RATING,TAGS", "a@b.org,Ana,Souza,2,x", "Ana Souza", {}),
        ("Vorname;Nachname;Firmenname;Firma;Haupt-E-Mail;Land", "Jörg;Strauß;;nein;a@b.org;CH", "Jörg Strauß", {}),
        ("Contact ID,First Name,Last Name,Email,Phone", "202,Lúcia,Araújo,a@b.org,011 5555", "Lúcia Araújo", {}),
        ("uuid,email,name,attributes,status", 'x,a@b.org,João,"{""city"": ""Recife""}",enabled', "João", {}),
        ("name,username,email,title,created_at", "Ana,ana,a@b.org,,2024-01-01", "Ana", {}),
    ],
    ids=["plain", "Google Forms", "Google Contacts", "Mailchimp", "Hitobito", "CiviCRM", "listmonk", "Discourse"],
)
def test_export_of_other_program_is_imported(header, row, name, extra):
    report = bring(f"{header}\n{row}\n")
    assert counts(report) == (1, 0, 0, 0), report.errors
    assert name_of("a@b.org") == name
    if extra:
        entry = entry_of("a@b.org")
        assert {field: getattr(entry, field) for field in extra} == extra


def test_values_without_telegram_id_are_named_in_a_warning():
    report = bring("email,name,country,telegram_username\na@b.org,Ana,Brasil,@ana_s\n")
    assert counts(report) == (1, 0, 0, 0)
    (warning,) = report.warnings
    assert (warning.line, warning.column) == (2, "telegram_id")
    assert "telegram_username, country" in warning.sentence


def test_unknown_heading_and_role_can_be_chosen():
    content = "Contato,Wie heisst du?,telegram_id,Tätigkeit\na@b.org,Ana,900,Project Manager\nb@b.org,Rui,901,\n"
    columns = {"Contato": "email", "Wie heisst du?": "name", "Tätigkeit": "primary_role"}
    with pytest.raises(HeadingUnknown) as unknown:
        bring("Contato,Wie heisst du?\na@b.org,Ana\n")
    assert unknown.value.header == ["Contato", "Wie heisst du?"]
    report = bring(content, choices=ImportChoices(columns=columns))
    assert (counts(report), report.unknown_roles) == ((0, 0, 0, 2), ["Project Manager"])
    roles = {"Project Manager": "founder", "": "other"}
    assert counts(bring(content, choices=ImportChoices(columns=columns, roles=roles))) == (2, 0, 0, 0)
    assert [entry_of(email).primary_role for email in ("a@b.org", "b@b.org")] == ["founder", "other"]


def test_encoding_can_be_chosen():
    report = bring("email,name\na@b.org,Иван\n".encode("cp1251"), choices=ImportChoices(encoding="cp1251"))
    assert counts(report) == (1, 0, 0, 0)
    assert name_of("a@b.org") == "Иван"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Иван Петров", "cp1251"),
        ("Łucja Świątek", "cp1250"),
        ("Ayşe Y\u0131ld\u0131z", "cp1254"),
        ("Γιάννης", "cp1253"),
        ("João", "cp850"),
    ],
)
def test_other_encodings_are_never_guessed(text, encoding):
    with pytest.raises(FileUnreadable, match="Choose the encoding"):
        bring(f"email,name\na@b.org,{text}\n".encode(encoding))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "telegram_id",
            ["12345", "0012345", "12 345", "+5511999990000", "12a", "9E+09", "1" * 20, "1" * 21, "0"],
        ),
        ("telegram_username", ["ana_s", "@ana_s", "ana", "a b c d", "ana.s", "a" * 32, "a" * 33]),
        ("github_username", ["ana", "@ana-s", "-ana", "ana_s", "a" * 39, "a" * 40]),
    ],
)
def test_import_rejects_what_registration_rejects(field, values):
    for value in values:
        form = RegistrationForm({field: value})
        form.is_valid()
        registered = field not in form.errors
        report = bring(ana(**{field: value}), dry_run=True)
        assert (not report.error_count) == registered, (value, report.errors)
        if registered:
            shown = {change[0]: change[2] for change in report.preview[0].changes}
            assert shown[field] == form.cleaned_data[field].removeprefix("@")


@pytest.mark.parametrize("link", ["https://t.me/ana_s", "t.me/ana_s?start=1", "https://telegram.me/@ana_s/"])
def test_address_of_telegram_is_a_name(link):
    bring(ana(telegram_username=link, github_username="https://github.com/ana-s/"))
    entry = entry_of("ana@example.org")
    assert (entry.telegram_username, entry.github_username) == ("ana_s", "ana-s")


# --- Keys and empty cells -----------------------------------------------------------------------


def test_person_without_email_is_an_entry_without_account():
    content = "name,telegram_id,primary_role\nAna,900,student\n"
    assert counts(bring(content)) == (1, 0, 0, 0)
    entry = CommunityMember.objects.get(telegram_id="900")
    assert (entry.person, entry.name, entry.status) == (None, "Ana", "pending")
    assert counts(bring(content)) == (0, 0, 1, 0)
    assert counts(bring(content.replace("Ana", "Ana B"))) == (0, 1, 0, 0)
    report = bring(f"member_id,email\n{entry.member_id},ana@b.org\n")
    assert counts(report) == (0, 1, 0, 0), report.errors
    entry.refresh_from_db()
    assert (entry.person.email, entry.person.display_name) == ("ana@b.org", "Ana B")


@pytest.mark.parametrize("key", ["stable", "number", "email", "telegram_id"])
def test_any_unique_key_finds_the_member(key):
    entry = EntryFactory(person=MemberFactory(), telegram_id="900")
    value = {
        "stable": f"member_id,{entry.person.member_id}",
        "number": f"member_id,{entry.member_id}",
        "email": f"email,{entry.person.email}",
        "telegram_id": "telegram_id,900",
    }[key]
    column, found = value.split(",")
    assert counts(bring(f"{column},country,trust_score\n{found},Chile,7\n")) == (0, 1, 0, 0)
    entry.refresh_from_db()
    assert (entry.country, entry.person.trust_score) == ("Chile", 7)


def test_empty_cell_leaves_and_marked_word_clears():
    entry = EntryFactory(person=MemberFactory(), country="Chile", organization="Lab")
    bring(f"email,country,organization\n{entry.person.email},,(clear)\n")
    entry.refresh_from_db()
    assert (entry.country, entry.organization) == ("Chile", None)


def test_unique_values_are_swapped():
    one, other = (EntryFactory(person=MemberFactory(), telegram_id=key) for key in ("901", "902"))
    mails = one.person.email, other.person.email
    report = bring(
        f"member_id,email,telegram_id\n{one.person.member_id},{mails[1]},902\n{other.person.member_id},{mails[0]},901\n"
    )
    assert counts(report) == (0, 2, 0, 0), report.errors
    assert Member.objects.get(pk=one.person_id).email == mails[1]
    assert CommunityMember.objects.get(pk=other.pk).telegram_id == "901"


def test_preview_shows_values_before_and_after():
    person = MemberFactory(email="a@b.org", display_name="Ana", trust_score=1)
    report = bring("email,name,trust_score\na@b.org,Ana B,2\nnew@b.org,New,0\n", dry_run=True)
    change, new = report.preview
    assert (change.line, change.is_new, change.stable_id) == (2, False, person.member_id)
    assert change.changes == [("name", "Ana", "Ana B"), ("trust_score", "1", "2")]
    assert (new.is_new, new.name, new.changes[0]) == (True, "New", ("email", None, "new@b.org"))


# --- Workbooks ----------------------------------------------------------------------------------


def workbook(*rows: list[str]) -> bytes:
    with write_xlsx(rows) as file:
        return file.read()


def test_workbook_is_imported():
    content = workbook(["List of members"], [], ["E-Mail", "Nome", "Pontos de confiança"], ["a@b.org", "João <&>", "7"])
    assert counts(bring(content)) == (1, 0, 0, 0)
    assert name_of("a@b.org") == "João <&>"
    report = bring(workbook(["email", "name"], ["nowhere", "A"], ["a@b.org", "", "x"]))
    assert [error.line for error in report.errors] == [2, 3]


def test_workbook_that_decompresses_to_too_much_is_rejected(monkeypatch):
    monkeypatch.setattr("missionsite.common.sheets.LARGEST_DECOMPRESSED", 10_000)
    content = io.BytesIO(workbook(["email", "name"]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet2.xml", b" " * 20_000)
    with pytest.raises(FileUnreadable, match="too large"):
        bring(content.getvalue())
