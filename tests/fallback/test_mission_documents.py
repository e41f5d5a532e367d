"""Documents of missions: versions, files, the conflict of two editors, and who may do what. In a folder and in S3."""

import os
import time
from urllib.parse import quote

import pytest
from django.urls import reverse

from fallback.errors import DocumentChanged, DocumentIsLatest
from fallback.models import MissionDocumentVersion, MissionEvent
from fallback.rules import DOCUMENT_LENGTH
from fallback.services import documents as service
from fallback.services.documents import path_of, remove_document_text, repair_documents, save_document
from fallback.services.missions import create_mission
from fallback.tasks import repair_mission_documents
from groups.models import Member
from missionsite.common import documents
from tests.support.admin import client_of, page_text
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd, without
from tests.support.database import allow_delete, rejected_by
from tests.support.factories.fallback import MissionFactory, ProjectFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.s3 import empty, s3_server

pytestmark = pytest.mark.django_db
SOLUTION = "solution.md"


@pytest.fixture(scope="module")
def s3():
    with s3_server() as setting:
        yield setting


@pytest.fixture(params=["folder", "S3"])
def any_store(request, settings):
    if request.param == "S3":
        setting = request.getfixturevalue("s3")
        settings.STORAGES = settings.STORAGES | {"documents": setting}
        empty(setting)


@pytest.fixture
def mission():
    return MissionFactory(title="Write the guide")


def person(mission, role: str, name: str = "Ana"):
    member = StaffFactory(display_name=name)
    return ProjectMemberFactory(project=mission.project, role=role, member=member).member


def save(mission, content: str, *, based_on: int = 0, name: str = SOLUTION, actor=None, **options):
    return save_document(
        actor=actor or Member.objects.system(),
        mission=mission,
        name=name,
        content=content,
        based_on=based_on,
        **options,
    )


def tab(mission, name: str = SOLUTION, more: str = "") -> str:
    return f"{reverse('admin:fallback_mission_documents', args=[mission.pk])}?document={quote(name)}{more}"


def post(browser, mission, content: str, *, based_on: int = 0, name: str = SOLUTION):
    address = reverse("admin:fallback_mission_document", args=[mission.pk])
    return browser.post(address, {"name": name, "based_on": based_on, "content": content})


# --- Saving -----------------------------------------------------------------------------------


@pytest.mark.seed("004 mission documents")
def test_save_writes_file_and_path(any_store, mission, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        save(mission, "# First\r\nline")
        save(mission, "Step one", name="tasks/1.md")
        second = save(mission, "# Second", based_on=1)
    mission.refresh_from_db()
    folder = f"solo-unicorn-docs/missions/{mission.pk}"
    assert (mission.solution_path, mission.tasks_path) == (f"{folder}/solution.md", f"{folder}/tasks")
    assert documents.read(mission.solution_path) == b"# Second"
    assert documents.read(f"{mission.tasks_path}/1.md") == b"Step one"
    assert list(documents.names(folder)) == [f"{folder}/solution.md", f"{folder}/tasks/1.md"]
    assert second.version == 2
    assert MissionDocumentVersion.objects.get(name=SOLUTION, version=1).content == "# First\nline"
    # Saving the same text again is no version.
    assert save(mission, "# Second", based_on=1) == second


@pytest.mark.seed("004 mission documents")
def test_save_rejects_text_based_on_older_version(mission):
    save(mission, "One")
    two = save(mission, "Two", based_on=1)
    for based_on in (0, 1, 3):
        with pytest.raises(DocumentChanged) as rejected:
            save(mission, "Mine", based_on=based_on)
        assert rejected.value.latest == two
    with pytest.raises(DocumentChanged):
        save(mission, "Mine", based_on=1, name="tasks/1.md")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"name": "../secret.md"}, "mission_document_versions_name_known"),
        ({"name": "tasks/0.md"}, "mission_document_versions_name_known"),
        ({"version": 0}, "mission_document_versions_version_in_range"),
        ({"content": "x" * (DOCUMENT_LENGTH + 1)}, "mission_document_versions_content_length"),
        ({"content": "x", "removed_at": "2026-01-01T00:00Z"}, "mission_document_versions_removed_is_empty"),
        ({"origin": "moon"}, "mission_document_versions_origin_known"),
    ],
)
def test_table_rejects(mission, values, constraint):
    least = {"mission": mission, "name": SOLUTION, "version": 1, "content": "", "author": MemberFactory()}
    with rejected_by(constraint):
        MissionDocumentVersion.objects.create(**least | values)


def test_timeline_has_path_and_origin(mission):
    save(mission, "By an agent", origin="agent")
    event = MissionEvent.objects.get(mission=mission, type="mission.changed")
    assert event.origin == "agent"
    assert event.payload["changed"]["solution_path"] == ["", path_of(mission.pk, SOLUTION)]


@pytest.mark.django_db(transaction=True)
class TestRace:
    """Two editors save at the same time, each with the first version in the form."""

    def both(self, people):
        project = ProjectFactory()
        mission = create_mission(actor=Member.objects.system(), project=project, title="Guide")
        save(mission, "First")
        results = people.run(lambda number: save(mission, f"Text of {number}", based_on=1))
        return results, MissionDocumentVersion.objects.filter(mission=mission, version__gt=1).count()

    @pytest.mark.seed("004 mission documents")
    def test_one_of_two_editors_wins(self):
        with crowd(4) as people:
            for _round in range(ROUNDS):
                results, saved = self.both(people)
                assert sorted(type(each).__name__ for each in results).count("DocumentChanged") == 3
                assert saved == 1

    @pytest.mark.seed("004 mission documents", control=True)
    def test_without_guards_several_editors_win(self, monkeypatch):
        def slow(mission, name, real=service.latest_version):
            found = real(mission, name)
            time.sleep(0.05)
            return found

        monkeypatch.setattr(service, "latest_version", slow)
        drop = "ALTER TABLE mission_document_versions DROP CONSTRAINT mission_document_versions_once"
        restore = """DELETE FROM mission_document_versions;
            ALTER TABLE mission_document_versions
                ADD CONSTRAINT mission_document_versions_once UNIQUE (mission_id, name, version)"""
        monkeypatch.setattr(
            type(service.Mission.objects.all()),
            "lock",
            lambda rows, pk, *related, **_options: rows.select_related(*related).get(pk=pk),
        )
        with without(drop, restore), crowd(4) as people:
            for _round in range(CONTROL_ROUNDS):
                _results, saved = self.both(people)
                if saved > 1:
                    return
        raise AssertionError("one editor won each time: the test above proves nothing")


# --- Files ------------------------------------------------------------------------------------


@pytest.mark.seed("004 mission documents")
def test_repair_writes_what_a_crash_lost(any_store, mission, monkeypatch, django_capture_on_commit_callbacks):
    def crash(name, content):
        raise OSError("killed")

    with django_capture_on_commit_callbacks(execute=True):
        save(mission, "Old")
    with monkeypatch.context() as broken, django_capture_on_commit_callbacks(execute=True):
        broken.setattr(service.documents, "write", crash)
        save(mission, "New", based_on=1)
        save(mission, "Task", name="tasks/1.md")
    assert documents.read(path_of(mission.pk, SOLUTION)) == b"Old"
    assert repair_mission_documents(timestamp=0) == {"written": 2, "removed": 0}
    assert documents.read(path_of(mission.pk, SOLUTION)) == b"New"
    assert repair_documents() == {"written": 0, "removed": 0}


def test_repair_deletes_files_of_deleted_missions(mission, documents_root, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        save(mission, "Old")
    path = path_of(mission.pk, SOLUTION)
    allow_delete("missions")
    mission.delete()
    assert not MissionDocumentVersion.objects.exists()
    # A file of the last minute may belong to a mission that is not committed yet.
    assert repair_documents()["removed"] == 0
    old = time.time() - 120
    os.utime(documents_root / path, (old, old))
    assert repair_documents()["removed"] == 1
    assert not documents.exists(path)


# --- Pages ------------------------------------------------------------------------------------


@pytest.mark.seed("004 mission documents")
def test_page_adds_edits_and_renders(mission):
    browser = client_of(person(mission, "contributor"))
    assert "No such document yet" in page_text(browser.get(tab(mission)))
    answer = post(browser, mission, "## Plan\n\n<script>alert(1)</script> **bold**")
    assert answer["Location"] == tab(mission)
    page = browser.get(tab(mission)).content.decode()
    assert "<strong>bold</strong>" in page
    assert "<script>alert(1)" not in page
    form = browser.get(tab(mission, more="&edit=1")).content.decode()
    assert 'name="based_on" value="1"' in form
    post(browser, mission, "Second", based_on=1)
    page = page_text(browser.get(tab(mission)))
    assert "Version 2" in page
    assert path_of(mission.pk, SOLUTION) in page
    assert "bold" in page_text(browser.get(tab(mission, more="&version=1")))
    about = page_text(browser.get(reverse("admin:fallback_mission_change", args=[mission.pk])))
    assert path_of(mission.pk, SOLUTION).replace("/", "/<wbr>") in about


@pytest.mark.seed("004 mission documents")
def test_second_editor_keeps_typed_text(mission):
    first, second = client_of(person(mission, "contributor")), client_of(person(mission, "contributor", "Rui"))
    post(first, mission, "Common text")
    post(first, mission, "Text of Ana", based_on=1)
    answer = post(second, mission, "Text of Rui", based_on=1)
    page = page_text(answer)
    assert answer.status_code == 409
    assert "Ana saved version 2" in page
    assert "Text of Ana" in page
    assert "Text of Rui</textarea>" in page
    assert 'name="based_on" value="2"' in page
    # The first of several versions is replaced knowingly.
    post(second, mission, "Text of Ana and Rui", based_on=2)
    assert MissionDocumentVersion.objects.get(version=3).content == "Text of Ana and Rui"


def test_too_long_text_is_kept_in_the_form(mission):
    answer = post(client_of(person(mission, "contributor")), mission, "x" * DOCUMENT_LENGTH + "END")
    assert answer.status_code == 409
    assert "END</textarea>" in answer.content.decode()
    assert "at most" in page_text(answer)
    assert not MissionDocumentVersion.objects.exists()


def test_viewer_reads_and_outsider_does_not(mission):
    save(mission, "Only for the project")
    viewer = client_of(person(mission, "viewer"))
    page = page_text(viewer.get(tab(mission, more="&edit=1")))
    assert "Only for the project" in page
    assert "<textarea" not in page
    assert post(viewer, mission, "Mine", based_on=1).status_code == 403
    outsider = client_of(person(MissionFactory(), "maintainer"))
    assert post(outsider, mission, "Mine", based_on=1).status_code == 404
    assert MissionDocumentVersion.objects.count() == 1


@pytest.mark.parametrize("parameters", ["&version=999999999999", "&version=x", "&edit=1"])
def test_strange_addresses_show_a_page(mission, parameters):
    browser = client_of(person(mission, "maintainer"))
    for name in ("solution.md", "../../etc/passwd", "tasks/0.md"):
        assert browser.get(tab(mission, name, parameters)).status_code == 200
        if name != SOLUTION:
            assert post(browser, mission, "x", name=name).status_code == 404


def test_text_of_earlier_version_is_removed(mission):
    maintainer, contributor = person(mission, "maintainer"), person(mission, "contributor", "Rui")
    first = save(mission, "A name that should go")
    latest = save(mission, "Without it", based_on=1)
    with pytest.raises(DocumentIsLatest):
        remove_document_text(actor=maintainer, version=latest)
    remove = reverse("admin:fallback_document_remove", args=[first.pk])
    client_of(contributor).post(remove)
    first.refresh_from_db()
    assert first.content
    client_of(maintainer).post(remove)
    first.refresh_from_db()
    assert (first.content, first.removed_at is None) == ("", False)
    assert "The text of this version was removed" in page_text(
        client_of(contributor).get(tab(mission, more="&version=1"))
    )


# --- API --------------------------------------------------------------------------------------


def test_api_saves_with_conflict_check(mission):
    editor = api_client(person(mission, "contributor"))
    root = f"/api/projects/{mission.project_id}/missions/{mission.pk}/document"

    def put(**body):
        return editor.put(root, body, content_type="application/json")

    assert editor.get(root, {"name": SOLUTION}).json()["code"] == "not_found"
    assert put(name=SOLUTION, content="One").json()["version"] == 1
    rejected = put(name=SOLUTION, content="Two")
    assert (rejected.status_code, rejected.json()["code"]) == (409, "document_changed")
    assert put(name=SOLUTION, content="Two", based_on=1).json()["version"] == 2
    assert put(name="other.md", content="Two").status_code == 422
    put(name="tasks/10.md", content="Ten")
    put(name="tasks/2.md", content="Two")
    listed = editor.get(f"{root}s").json()
    assert [each["name"] for each in listed] == [SOLUTION, "tasks/2.md", "tasks/10.md"]
    assert editor.get(root, {"name": SOLUTION}).json()["content"] == "Two"
