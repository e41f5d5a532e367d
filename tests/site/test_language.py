"""The back office in Brazilian Portuguese: choosing it, what follows it, and what stays in English."""

import importlib.util
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from missiondeck.models import TestRun
from tests.missiondeck.workspace_helpers import address, make_mission
from tests.support.admin import client, page_text
from tests.support.factories.groups import EntryFactory

DIRECTORY = "/admin/groups/communitymember/"


def in_portuguese(role: str):
    """A client of a staff member who chose Portuguese in the menu of the account."""
    office = client(role)
    answer = office.post("/language/", {"language": "pt-br", "next": DIRECTORY})
    assert (answer.status_code, answer["Location"]) == (302, DIRECTORY)
    return office


@pytest.mark.django_db
def test_choice_changes_texts_dates_and_numbers():
    EntryFactory(name="Uma", reputation_score=9000, last_active_at=datetime(2026, 3, 7, 18, 30, tzinfo=UTC))
    office = client("Community Manager")
    page = page_text(office.get(DIRECTORY))
    assert 'value="pt-br" lang="pt-br"' in page
    assert 'lang="en"' in page
    assert "9,000 · Expert" in page
    answer = in_portuguese("Community Manager").get(DIRECTORY)
    page = page_text(answer)
    assert answer["Content-Language"] == "pt-br"
    assert '<html lang="pt-br"' in page
    assert "Diretório | Missionsite" in page
    assert "9.000 · Especialista" in page
    assert "07/03/2026 18:30" in page


@pytest.mark.django_db
def test_form_error_is_translated():
    page = page_text(in_portuguese("Mission Manager").post("/admin/groups/mission/add/", {"name": ""}))
    assert "Este campo é obrigatório." in page


@pytest.mark.django_db
def test_list_is_exported_in_english():
    answer = in_portuguese("Administrator").get("/admin/groups/member/", {"_export": "csv"})
    assert b"".join(answer.streaming_content).decode("utf-8-sig").startswith("ID,Name,")


@pytest.mark.django_db
def test_import_in_portuguese_stores_english():
    mission = make_mission()
    report = b"<testsuites><testsuite><testcase><failure/></testcase></testsuite></testsuites>"
    answer = in_portuguese("Delivery Lead").post(
        f"{address(mission, '_import')}?citizen=sofia",
        {"report": SimpleUploadedFile("report.xml", report)},
        follow=True,
    )
    assert "Relatório importado." in page_text(answer)
    (result,) = TestRun.objects.get().results
    assert result["name"] == "(test without a name)"


@pytest.fixture(scope="module")
def tool():
    path = settings.BASE_DIR / "bin" / "translations.py"
    spec = importlib.util.spec_from_file_location("translations", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_is_translated(tool):
    office, scripts = tool.books()[1:]
    assert tool.problems(office) + tool.problems(scripts) == []


def test_check_names_missing_translation(tool, tmp_path, monkeypatch):
    for path in (tool.SCRIPTS_PO, tool.SCRIPTS_PO.with_suffix(".mo")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    copy = tmp_path / tool.SCRIPTS_PO.name
    monkeypatch.setattr(tool, "SCRIPTS_PO", copy)
    copy.write_text(copy.read_text("utf-8").replace('msgstr "Mover mesmo assim"', 'msgstr ""'), "utf-8")
    assert "not translated: 'Move anyway'" in tool.problems(tool.books()[-1])
