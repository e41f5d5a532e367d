"""What was chosen for the columns of a file is used for the next file with the same headings."""

from io import BytesIO

import pytest

from groups.models import ImportMapping, Member
from groups.services.import_files import ImportChoices
from groups.services.import_mappings import shape_of
from groups.services.imports import import_members
from tests.support.admin import client, page_text
from tests.support.database import rejected_by, rows
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
COLUMNS = {"Contact": "email", "Called": "name", "Note": ""}
HEADING = "Contact,Called,Note\n"


@pytest.fixture
def actor():
    return StaffFactory(is_superuser=True)


def bring(actor, text, columns=None, **options):
    choices = ImportChoices(columns=columns or {})
    return import_members(actor=actor, file=BytesIO(text.encode()), choices=choices, **options)


def test_choice_is_remembered_for_the_same_headings(actor):
    bring(actor, HEADING + "ivo@example.org,Ivo,x\n", COLUMNS)
    report = bring(actor, "A title\n\nCONTACT;called;Note;\nana@example.org;Ana;y;\n")
    assert (report.added, report.errors) == (1, [])
    assert "The columns were chosen as for the last file with these headings." in report.notes
    assert Member.objects.get(email="ana@example.org").display_name == "Ana"


def test_another_choice_replaces_it(actor):
    bring(actor, HEADING + "ivo@example.org,Ivo,x\n", COLUMNS)
    bring(actor, HEADING + "rui@example.org,x,Rui\n", COLUMNS | {"Called": "", "Note": "name"})
    bring(actor, HEADING + "ana@example.org,x,Ana\n")
    assert set(Member.objects.values_list("display_name", flat=True)) >= {"Ivo", "Rui", "Ana"}
    assert ImportMapping.objects.count() == 1


def test_check_and_other_headings_remember_nothing(actor):
    bring(actor, HEADING + "ivo@example.org,Ivo,x\n", COLUMNS, dry_run=True)
    assert not ImportMapping.objects.exists()
    bring(actor, HEADING + "ivo@example.org,Ivo,x\n", COLUMNS)
    report = bring(actor, "email,name\nana@example.org,Ana\n")
    assert not any("last file" in note for note in report.notes)
    assert ImportMapping.objects.count() == 1


def test_page_uses_and_shows_the_remembered_choice(actor):
    bring(actor, HEADING + "ivo@example.org,Ivo,x\n", COLUMNS)
    file = BytesIO((HEADING + "ana@example.org,Ana,y\n").encode())
    file.name = "next.csv"
    page = page_text(
        client("Community Manager").post("/admin/groups/communitymember/import/", {"file": file, "dry_run": "on"})
    )
    assert "chosen as for the last file" in page
    assert '<option value="email" selected>' in page


def test_equal_headings_can_be_chosen_each(actor):
    text = "Email,Name,Email\nold@example.org,Ivo,ivo@example.org\n"
    report = bring(actor, text, dry_run=True)
    assert report.columns == [("Email", "email"), ("Name", "name"), ("Email (2)", "")]
    assert "Columns not imported: “Email (2)”" in report.notes
    bring(actor, text, {"Email": "", "Name": "name", "Email (2)": "email"})
    assert Member.objects.filter(email="ivo@example.org").exists()
    # And remembered, each for itself.
    bring(actor, text.replace("ivo", "rui"))
    assert not Member.objects.filter(email="old@example.org").exists()
    assert Member.objects.filter(email="rui@example.org").exists()


def test_shape_ignores_case_accents_and_empty_columns():
    assert shape_of(["E-mail", "Prénom", ""]) == shape_of(["e mail", "PRENOM"]) != shape_of(["PRENOM", "e mail"])
    StaffFactory()
    with rejected_by("import_mappings_shape_format"):
        rows("INSERT INTO import_mappings (shape, saved_by_id) SELECT 'x', id FROM members")
