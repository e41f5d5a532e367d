"""Imports in the background: progress, cancelling, approval, report, and the files they leave."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone

from groups.errors import ImportRunning, JobNotWaiting
from groups.models import Member, PeopleJob
from groups.services import import_jobs
from groups.services.import_files import ImportChoices
from groups.services.import_jobs import approve_job, prune_import_files, report_name, start_import
from groups.services.import_undo import past_imports, undo_import
from groups.services.people_jobs import cancel_job
from groups.tasks import run_people_job
from missionsite.common import documents
from tests.support.admin import client_of, page_text, staff
from tests.support.errors import violates
from tests.support.factories.groups import StaffFactory

FILE = b"email,name\nivo@example.org,Ivo\nana@example.org,Ana\n"
# The progress is written on another connection, which sees committed jobs only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "documents": settings.STORAGES["documents"] | {"OPTIONS": {"location": str(tmp_path)}}
    }


@pytest.fixture
def actor():
    return StaffFactory(is_superuser=True)


def finished(job):
    run_people_job(str(job.pk))
    job.refresh_from_db()
    return job


def test_import_runs_from_page_with_progress_and_undo():
    manager = staff("Community Manager")
    office = client_of(manager)
    file = BytesIO(FILE)
    file.name = "people.csv"
    answer = office.post("/admin/groups/communitymember/import/", {"file": file, "background": "on"})
    job = PeopleJob.objects.get()
    assert answer["Location"] == f"/admin/groups/peoplejob/{job.pk}/change/"
    assert "0 of 3" in page_text(office.get(answer["Location"]))
    assert (finished(job).status, job.results, job.done) == ("done", {"added": 2}, 2)
    assert "2 added" in page_text(office.get(answer["Location"]))
    assert not documents.exists(f"imports/{job.pk}")
    (past,) = past_imports()
    assert (past.file, past.actor) == ("people.csv", manager)
    assert undo_import(actor=manager, changeset=past.changeset).removed == 2


def test_errors_fail_the_job_and_are_a_report(actor):
    choices = ImportChoices(columns={"Mail": "email", "name": "name"})
    job = finished(start_import(actor=actor, content=b"Mail,name\nivo,Ivo\n", name="a\n.csv", choices=choices))
    assert (job.status, job.message[:8], job.file_name, job.work) == ("failed", "1 error.", "a .csv", {})
    office = client_of(actor)
    assert "Errors as CSV" in page_text(office.get(f"/admin/groups/peoplejob/{job.pk}/change/"))
    answer = office.get(f"/admin/groups/peoplejob/{job.pk}/report/")
    assert "is not a valid e-mail address" in b"".join(answer).decode()
    assert prune_import_files() == 0
    assert prune_import_files(at=timezone.now() + timedelta(days=8)) == 1
    assert not documents.exists(report_name(job))


def test_unreadable_file_and_second_import_fail_with_message(actor, monkeypatch):
    job = finished(start_import(actor=actor, content=b"just text", name="a.csv"))
    assert (job.status, bool(job.message)) == ("failed", True)

    def busy(**options):
        raise ImportRunning

    monkeypatch.setitem(import_jobs.IMPORTS, "import_members", busy)
    assert "Another import is running" in finished(start_import(actor=actor, content=FILE, name="a.csv")).message


def test_crash_ends_the_job(actor, monkeypatch):
    def crash(**options):
        raise RuntimeError

    monkeypatch.setitem(import_jobs.IMPORTS, "import_members", crash)
    job = start_import(actor=actor, content=FILE, name="a.csv")
    with pytest.raises(RuntimeError):
        run_people_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, documents.exists(f"imports/{job.pk}")) == ("failed", False)


@pytest.mark.rule("ImportCancelled")
def test_running_import_is_cancelled_and_writes_nothing(actor, monkeypatch):
    job = start_import(actor=actor, content=FILE, name="a.csv")
    record = import_jobs._Reporter._record

    def record_and_cancel(reporter, lines):
        if lines:
            cancel_job(actor=actor, job=job)
        return record(reporter, lines)

    monkeypatch.setattr(import_jobs._Reporter, "_record", record_and_cancel)
    assert finished(job).status == "cancelled"
    assert not Member.objects.filter(email="ivo@example.org").exists()


def test_large_import_waits_for_second_person(actor, settings):
    settings.IMPORT_APPROVAL_ABOVE = 1
    job = finished(start_import(actor=actor, content=FILE, name="a.csv"))
    assert (job.status, job.results, job.needs_approval) == ("to_approve", {"added": 2}, True)
    assert not Member.objects.filter(email="ivo@example.org").exists()
    with violates("people_jobs_two_people"):
        approve_job(actor=actor, job=job)
    # Negative control: nothing runs without the approval.
    assert run_people_job(str(job.pk)) == "ended"
    manager = staff("Community Manager")
    client_of(manager).post(f"/admin/groups/peoplejob/{job.pk}/approve/")
    assert (finished(job).status, job.approved_by) == ("done", manager)
    assert Member.objects.filter(email="ivo@example.org").exists()
    with pytest.raises(JobNotWaiting):
        approve_job(actor=manager, job=job)


def test_home_shows_imports_of_others_to_approve(actor, settings):
    settings.IMPORT_APPROVAL_ABOVE = 1
    finished(start_import(actor=actor, content=FILE, name="a.csv"))
    needs = client_of(staff("Community Manager")).get("/admin/").context["needs"]
    assert [(str(need.kind), need.title) for need in needs] == [("Import to approve", "a.csv")]
    assert not client_of(actor).get("/admin/").context["needs"]
