"""Import of members from a CSV file: added and updated rows, and the report."""

import contextlib
import csv
import io

import pghistory
import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groups.models import CommunityMember, Event, Member
from groups.models.history import CommunityMemberHistory, MemberHistory
from groups.rules import normalize_username
from groups.services.directory import update_entry
from groups.services.import_values import clean_text
from groups.services.imports import _is_email
from missionsite.common.audit.history import changes_of
from missionsite.common.csvfiles import FileUnreadable
from tests.groups.import_files import ANA, BRUNO, FULL, ana, bring, counts, entry_of, everything
from tests.support.concurrency import execute_as_owner
from tests.support.factories.groups import MemberFactory
from tests.support.sample import examples

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def system(db):
    """Create the system member, who imports unless a test names another actor."""
    return Member.objects.system()


# --- Adding -----------------------------------------------------------------------------------


def test_import_adds_member_entry_event_and_history():
    actor = MemberFactory()
    report = bring(FULL + ANA + BRUNO, actor=actor)
    assert report.written
    assert counts(report) == (2, 0, 0, 0)
    entry = entry_of("ana@example.org")
    person = entry.person
    assert (person.display_name, person.trust_score, person.is_staff) == ("Ana Silva", 40, False)
    assert person.member_id.startswith("FE-P-")
    assert entry.member_id.startswith("#")
    assert (entry.status, entry.name, entry.telegram_id, entry.telegram_username) == (
        "pending",
        "Ana Silva",
        "1001",
        "ana_s",
    )
    assert (entry.primary_role, entry.organization, entry.country, entry.github_username) == (
        "developer",
        "Open Guild",
        "Brazil",
        "ana-silva",
    )
    assert not entry.github_verified
    event = Event.objects.get(member=person)
    assert (event.type, event.actor) == ("member.created", actor)
    assert event.payload == {"stable_id": person.member_id, "number": entry.member_id, "by": "import"}
    assert MemberHistory.objects.filter(pgh_obj=person, pgh_label="insert").count() == 1
    assert CommunityMemberHistory.objects.filter(pgh_obj=entry, pgh_label="insert").count() == 1
    assert entry_of("bruno@example.org").organization is None, "an empty value is no text of length zero"


def test_imported_member_cannot_log_in():
    bring("email,name\nana@example.org,Ana\n")
    assert not Member.objects.get(email="ana@example.org").has_usable_password()


def test_import_without_telegram_id_adds_no_entry():
    assert counts(bring("email,name,trust_score,telegram_id,country\nana@example.org,Ana,,,\n")) == (1, 0, 0, 0)
    assert Member.objects.get(email="ana@example.org").trust_score == 0
    assert not CommunityMember.objects.exists()


def test_stable_ids_follow_line_order():
    bring(FULL + "".join(f"p{number}@example.org,P {number},,1{number:02},,other,,,\n" for number in range(50)))
    people = CommunityMember.objects.order_by("person__display_name").values_list(
        "person__email", "person__member_id", "member_id"
    )
    by_line = sorted(people, key=lambda row: int(row[0].partition("@")[0][1:]))
    assert [row[1] for row in by_line] == sorted(row[1] for row in by_line)
    assert [int(row[2][1:]) for row in by_line] == sorted(int(row[2][1:]) for row in by_line)


@pytest.mark.parametrize(
    "text",
    [
        "name,telegram_id,EMAIL , primary_role\nAna Silva,1001,ana@example.org,developer\n",
        "name;telegram_id;email;primary_role\nAna Silva;1001;ana@example.org;developer\n",
        "\ufeffname,telegram_id,email,primary_role\r\nAna Silva,1001,ana@example.org,developer\r\n",
        '"name","telegram_id","email","primary_role"\r"Ana Silva","1001","ana@example.org","developer"',
        "\n\nname,telegram_id,email,primary_role\n\n,,,\n Ana Silva , 1001 , ana@EXAMPLE.org , Developer \n,,,\n\n",
    ],
    ids=["any order and case", "semicolons", "byte order mark", "quotes and old line ends", "blanks and empty rows"],
)
def test_spreadsheet_dialects_are_read(text):
    assert counts(bring(text)) == (1, 0, 0, 0)
    entry = entry_of("ana@example.org")
    assert (entry.name, entry.telegram_id, entry.primary_role) == ("Ana Silva", "1001", "developer")


def test_role_labels_are_accepted():
    bring(ana(primary_role="Community manager"))
    assert entry_of("ana@example.org").primary_role == "community_manager"


def test_header_only_file_has_no_lines():
    assert counts(bring("email,name\n")) == (0, 0, 0, 0)


# --- Updating ----------------------------------------------------------------------


def test_stable_id_matches_member_with_new_email():
    actor = MemberFactory()
    person = MemberFactory(email="old@example.org", display_name="Ana", trust_score=5)
    report = bring(f"member_id,email,name,trust_score\n{person.member_id},new@example.org,Ana,7\n", actor=actor)
    assert counts(report) == (0, 1, 0, 0)
    person.refresh_from_db()
    assert (person.email, person.display_name, person.trust_score) == ("new@example.org", "Ana", 7)
    event = Event.objects.get(type="member.changed", member=person)
    assert event.actor == actor
    # Events outlive personal data: they name the changed field, without the e-mail.
    assert event.payload == {"changed": {"email": "changed", "trust_score": [5, 7]}, "by": "import"}


def test_email_matches_in_any_case():
    person = MemberFactory(email="Ana@example.org", display_name="Ana")
    assert counts(bring("email,name\nANA@Example.Org,Ana Silva\n")) == (0, 1, 0, 0)
    person.refresh_from_db()
    assert (person.email, person.display_name) == ("Ana@example.org", "Ana Silva")


def test_import_adds_entry_to_member():
    person = MemberFactory(email="ana@example.org", display_name="Ana Silva", trust_score=40)
    assert counts(bring(FULL + ANA)) == (0, 1, 0, 0)
    assert entry_of("ana@example.org").status == "pending"
    event = Event.objects.get(member=person)
    assert (event.type, event.payload) == (
        "directory.added",
        {"number": entry_of("ana@example.org").member_id, "by": "import"},
    )


def test_import_edits_entry_and_keeps_status():
    bring(FULL + ANA)
    entry = entry_of("ana@example.org")
    CommunityMember.objects.filter(pk=entry.pk).update(status="active")
    report = bring(ana(telegram_id="2002", primary_role="founder", organization="(clear)", country="Chile"))
    assert counts(report) == (0, 1, 0, 0)
    after = entry_of("ana@example.org")
    assert (after.pk, after.member_id, after.status) == (entry.pk, entry.member_id, "active")
    assert (after.telegram_id, after.primary_role, after.organization, after.country, after.github_username) == (
        "2002",
        "founder",
        None,
        "Chile",
        "ana-silva",
    )
    assert Event.objects.get(type="directory.changed").payload == {
        "number": entry.member_id,
        "by": "import",
        "changed": {
            "telegram_id": "changed",
            "primary_role": ["developer", "founder"],
            "organization": "changed",
            "country": "changed",
        },
    }
    assert not Event.objects.filter(type="member.changed").exists()


def test_missing_columns_are_not_changed():
    bring(FULL + ANA)
    assert counts(bring("email,name,trust_score,telegram_id,primary_role\nana@example.org,Ana B,,1001,\n")) == (
        0,
        1,
        0,
        0,
    )
    entry = entry_of("ana@example.org")
    assert (entry.name, entry.person.display_name, entry.person.trust_score) == ("Ana B", "Ana B", 40)
    assert (entry.primary_role, entry.telegram_username, entry.organization, entry.country, entry.github_username) == (
        "developer",
        "ana_s",
        "Open Guild",
        "Brazil",
        "ana-silva",
    )


def verified(email: str) -> CommunityMember:
    entry = entry_of(email)
    CommunityMember.objects.filter(pk=entry.pk).update(
        github_verified=True,
        github_verified_at=timezone.now(),
        github_profile_data={"followers": 3},
        reputation_score=9,
    )
    return entry


def test_new_github_name_resets_verification():
    bring(FULL + ANA)
    verified("ana@example.org")
    bring(ana(github_username="someone-else"))
    entry = entry_of("ana@example.org")
    assert (entry.github_username, entry.github_verified, entry.github_verified_at) == ("someone-else", False, None)
    assert (entry.github_profile_data, entry.reputation_score) == (None, 0)
    assert Event.objects.get(type="directory.changed").payload["changed"] == {
        "github_username": "changed",
        "github_verified": "changed",
        "reputation_score": "changed",
    }


@pytest.mark.parametrize("text", [ana(github_username="Ana-Silva"), ana(organization="Elsewhere")])
def test_same_github_name_stays_verified(text):
    bring(FULL + ANA)
    verified("ana@example.org")
    assert counts(bring(text)) == (0, 1, 0, 0)
    entry = entry_of("ana@example.org")
    assert (entry.github_verified, entry.reputation_score) == (True, 9)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Ana B"},
        {"telegram_id": "7", "telegram_username": "@other", "organization": None},
        {"primary_role": "founder", "country": "Chile"},
        {"github_username": "ANA-SILVA"},
        {"github_username": None},
        {"github_username": "@else"},
    ],
)
def test_import_matches_edit_by_page(changes):
    bring(FULL + ANA)
    entry = verified("ana@example.org")
    with transaction.atomic():
        update_entry(actor=Member.objects.system(), entry=entry, **changes)
        by_hand = entry_of("ana@example.org").__dict__ | {"_state": None}
        told = Event.objects.get(type="directory.changed").payload
        transaction.set_rollback(True)
    cells = {name: value or "(clear)" for name, value in changes.items()}
    assert counts(bring(ana(**cells))) == (0, 1, 0, 0)
    by_import = entry_of("ana@example.org").__dict__ | {"_state": None}
    assert by_import == by_hand
    # The event names two consequences of the new name: not verified, and no points.
    silent = ("github_verified_at", "github_profile_data")
    told["changed"] = {name: what for name, what in told["changed"].items() if name not in silent}
    assert Event.objects.get(type="directory.changed").payload == told | {"by": "import"}


def test_history_records_importing_actor():
    actor = MemberFactory()
    person = MemberFactory(email="ana@example.org")
    with pghistory.context(user=str(actor.pk), url="/import"):
        assert counts(bring(FULL + ANA + BRUNO)) == (1, 1, 0, 0)
    (change, *_rest) = changes_of(person)
    assert (change.actor, change.where, change.label) == (actor, "/import", "update")
    assert {each.name for each in change.fields} == {"display_name", "trust_score"}


def test_unchanged_rows_are_not_written():
    bring(FULL + ANA + BRUNO)
    before = everything()
    report = bring(FULL + ANA.replace("ana@", "ANA@") + BRUNO)
    assert report.written
    assert counts(report) == (0, 0, 2, 0)
    assert everything() == before


def test_only_changed_rows_are_written():
    bring(FULL + ANA + BRUNO)
    before = everything()
    assert counts(bring(FULL + ANA + BRUNO.replace("Costa", "Cruz"))) == (0, 1, 1, 0)
    after = everything()
    for table, changed in (("members", 1), ("members_history", 1), ("community_members", 1), ("events", 3)):
        assert len(set(after[table]) - set(before[table])) == changed, table


# --- Dry run -------------------------------------------------------------------


def test_dry_run_matches_import_and_writes_nothing():
    bring(FULL + ANA + BRUNO)
    text = FULL + ANA.replace("40", "41") + BRUNO + "carla@example.org,Carla,,1003,,founder,,,\n"
    before, numbers = everything(), given_numbers()
    tried = bring(text, dry_run=True)
    assert not tried.written
    assert counts(tried) == (1, 1, 1, 0)
    assert everything() == before
    assert given_numbers() == numbers, "no stable ID and no number is used up"
    done = bring(text)
    assert done.written
    assert counts(done) == counts(tried)


def given_numbers() -> list[int | None]:
    """Return the last number of each sequence."""

    execute_as_owner("GRANT SELECT ON SEQUENCE stable_id_p TO missionsite_app")
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT last_value FROM stable_id_p UNION ALL SELECT last_value FROM community_member_number"
            )
            return [number for (number,) in cursor.fetchall()]
    finally:
        execute_as_owner("REVOKE SELECT ON SEQUENCE stable_id_p FROM missionsite_app")


def test_one_invalid_line_rejects_file():
    before = everything()
    report = bring(FULL + ANA + BRUNO.replace("bruno@", "bruno") + "carla@example.org,,,,,,,,\n")
    assert not report.written
    assert counts(report) == (1, 0, 0, 2)
    assert [(error.line, error.column) for error in report.errors] == [(3, "email"), (4, "name")]
    assert everything() == before


def test_skip_option_imports_valid_lines():
    report = bring(FULL + ANA + BRUNO.replace("bruno@", "bruno"), skip_bad=True)
    assert report.written
    assert counts(report) == (1, 0, 0, 1)
    assert [entry.name for entry in CommunityMember.objects.all()] == ["Ana Silva"]


def test_report_counts_every_line():
    bring("".join([FULL, *(f"p{number}@example.org,P,1,1{number},,other,,,\n" for number in range(60))]))
    lines = [f"p{number}@example.org,{'P' if number % 2 else 'Q'},1,1{number},,other,,,\n" for number in range(90)]
    lines += [f"p{number}@example.org,P,1,1{number},,other,,,\n" for number in range(0, 90, 7)]
    lines += ["too,few\n", '"a"b,x\n', "no mail,P,-1,,,,,,\n", "new@example.org,N,1,,,,,,\n"]
    for skip_bad in (False, True):
        report = bring("".join([FULL, *lines]), skip_bad=skip_bad)
        assert counts(report) == (31, 30, 30, 16)
        assert report.lines == len(lines) == 107


# --- The report -------------------------------------------------------------------------------


def test_error_file_contains_all_errors():
    text = "email,name\n" + "".join(f"wrong {number},\n" for number in range(500))
    errors = io.BytesIO()
    report = bring(text, errors_kept=3, errors_to=errors)
    assert [(error.line, error.column) for error in report.errors] == [(2, "email"), (2, "name"), (3, "email")]
    assert report.error_count == 1000
    written = list(csv.reader(io.StringIO(errors.getvalue().decode())))
    assert written[0] == ["line", "column", "error"]
    assert [int(row[0]) for row in written[1:]] == [line for line in range(2, 502) for _ in range(2)]
    assert written[1] == ["2", "email", "“wrong 0” is not a valid e-mail address."]


def test_progress_is_reported():
    told = []
    rows = "".join(f"p{number}@example.org,P\n" for number in range(20_001))
    bring("email,name\n" + rows, progress=lambda step, lines: told.append((step, lines)))
    assert told == [
        ("reading", 10_000),
        ("reading", 20_000),
        ("checking", 20_001),
        ("writing", 20_001),
        ("done", 20_001),
    ]


# --- Unusual values -------------------------------------------------------------------------------

# Any text of one line: no control character, no line end, no lone surrogate.
letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
texts = st.text(letters, max_size=40) | st.sampled_from(['"', '""', "a,b;c", "\\N", "\\.", "=1+1", "'"])
full_texts = texts.filter(lambda value: cleaned(value))
names = st.from_regex(r"@?[A-Za-z0-9_]{4,32}", fullmatch=True) | st.just("")


def cleaned(value: str) -> str:
    return clean_text(value.strip(), "name", lambda column, sentence: None)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(full_texts, texts, texts, names), min_size=1, max_size=8),
    separator=st.sampled_from(",;"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_texts_are_imported_unchanged(rows, separator, end, quoting, mark):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(["email", "name", "telegram_id", "organization", "country", "telegram_username", "primary_role"])
    for number, (name, *rest) in enumerate(rows):
        writer.writerow([f"p{number}@example.org", name, f"100{number}", *rest, "other"])
    with transaction.atomic():
        report = bring(mark + text.getvalue())
        assert counts(report) == (len(rows), 0, 0, 0), report.errors
        for number, (name, organization, country, username) in enumerate(rows):
            entry = entry_of(f"p{number}@example.org")
            assert entry.name == entry.person.display_name == cleaned(name)
            assert entry.telegram_id == f"100{number}"
            assert (entry.organization or "") == cleaned(organization)
            assert (entry.country or "") == cleaned(country)
            assert (entry.telegram_username or "") == normalize_username(username)
        # The stored values match the file: a second import changes nothing.
        assert counts(bring(mark + text.getvalue())) == (0, 0, len(rows), 0)
        transaction.set_rollback(True)


@settings(max_examples=300, deadline=None)
@given(st.emails() | st.text(st.sampled_from("aZ0é.@-_+' []"), max_size=20) | st.from_regex(r"[a.-]{1,70}@[a.-]{1,70}"))
@example("a@" + "b" * 63 + ".org")
@example("a@" + "b" * 64 + ".org")
@example("a@example.org\n")
@example("a" * 300 + "@example.org")
def test_email_check_matches_site_forms(value):
    try:
        validate_email(value)
    except ValidationError:
        assert not _is_email(value)
    else:
        assert _is_email(value)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(st.sampled_from('ab@.,;"\n\r \x00é1-'), max_size=200))
def test_any_file_is_imported_or_rejected(content):
    with transaction.atomic(), contextlib.suppress(FileUnreadable):
        counts(bring("email,name,trust_score\n" + content, skip_bad=True))
        transaction.set_rollback(True)
