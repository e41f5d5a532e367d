"""`manage.py run_fallback`, and the periodic jobs of the fallback in a real worker."""

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from fallback.models import MissionFallbackRun, MissionFallbackSample
from fallback.models.choices import RunStatus, Trigger
from fallback.services.configs import pause_fallback
from fallback.services.review import discard_item
from fallback.services.runs import run_fallback as make_run
from fallback.tasks import reconcile_fallback, repair_fallback_reports, run_fallback
from groups.models import Member
from tests.common.test_worker import PATIENCE, empty_queue, running_worker, status_of, until  # noqa: F401
from tests.fallback.proposals import a_project, a_review
from tests.support.concurrency import without
from tests.support.factories.fallback import MissionFactory, ProjectFactory, RunFactory, TemplateFactory

pytestmark = pytest.mark.django_db(transaction=True)

NO_COUNTING = "ALTER TABLE mission_fallback_runs {} TRIGGER mission_fallback_runs_derive"


def output(*options: str) -> str:
    out = StringIO()
    call_command("run_fallback", *options, stdout=out, no_color=True)
    return out.getvalue()


def a_full_project(**config):
    project = a_project(backlog_threshold=1, **config)
    MissionFactory(project=project)
    return project


# --- One project ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pk", "slug"])
def test_project_option_takes_id_or_short_name(name):
    project, other = a_project(templates=2), a_project(templates=2)
    make_run(actor=Member.objects.system(), project=project)
    discard_item(actor=Member.objects.system(), item=project.fallback_items.first(), feedback="no")
    assert output("--project", getattr(project, name)) == f"{project.pk} {project.name}: 1 proposed, 1 skipped.\n"
    assert set(project.fallback_runs.values_list("triggered_by", flat=True)) == {Trigger.MANUAL}
    assert not other.fallback_runs.exists()


def test_project_option_reports_enough_work():
    project = a_full_project()
    assert output("--project", project.slug).startswith(f"{project.pk} {project.name}: No proposals needed")
    assert not project.fallback_runs.exists()


def rejected(*options: str) -> str:
    with pytest.raises(CommandError) as rejection:
        output(*options)
    return str(rejection.value)


def test_every_rejection_prints_message():
    assert rejected("--project", "nowhere") == "Project nowhere not found. Enter its id or short name."
    for _organization in range(2):
        ProjectFactory(slug="twice")
    assert rejected("--project", "twice") == "Several projects are called twice. Enter the id."
    bare = ProjectFactory()
    sentence = "This project has no fallback configuration. Add one first."
    assert rejected("--project", bare.pk) == rejected("--project", bare.pk, "--dry-run") == sentence
    paused = a_project(templates=1)
    pause_fallback(actor=Member.objects.system(), config=paused.fallback_config)
    assert rejected("--project", paused.slug) == "The fallback is paused. Resume it first."
    assert not MissionFallbackRun.objects.exists()


def test_exit_code_tells_success_from_rejection():
    project = a_project(templates=1)
    own = connection.settings_dict
    secret = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    host = own["HOST"].replace("/", "%2F")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{own['PORT']}/{own['NAME']}",
        "SECRET_KEY": settings.SECRET_KEY,
    }

    def shell(*options: str):
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_fallback", *options]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=4 * PATIENCE
        )
        return done.returncode, done.stdout, done.stderr

    code, out, _errors = shell("--project", project.slug)
    assert (code, out) == (0, f"{project.pk} {project.name}: 5 proposed.\n")
    code, out, errors = shell("--project", "nowhere")
    assert (code != 0, out) == (True, "")
    assert "Project nowhere not found. Enter its id or short name." in errors
    assert "Traceback" not in errors


# --- Every project ----------------------------------------------------------------------------


def test_without_options_all_due_projects_are_checked():
    lacking, empty = a_project(templates=1), a_project()
    a_full_project()
    pause_fallback(actor=Member.objects.system(), config=a_project(templates=1).fallback_config)
    lines = output().splitlines()
    assert sorted(lines[:-1]) == sorted(
        [
            f"{lacking.pk} {lacking.name}: 5 proposed.",
            f"{empty.pk} {empty.name}: No template is enabled. Enable one to get proposals.",
        ]
    )
    assert lines[-1] == "2 runs, 0 failed."
    assert output() == "0 runs, 0 failed.\n"


# --- Dry run ----------------------------------------------------------------------------------


def test_dry_run_prints_plans_and_writes_nothing():
    project = a_project(weekly_mission_cap=1, backlog_threshold=2)
    TemplateFactory(project=project, name="Rotate the keys", estimated_effort_minutes=45)
    full, paused = a_full_project(), a_project(templates=1)
    pause_fallback(actor=Member.objects.system(), config=paused.fallback_config)
    with transaction.atomic(), connection.cursor() as cursor:
        shown = output("--dry-run")
        # PostgreSQL assigns a transaction id at the first write or row lock.
        cursor.execute("SELECT pg_current_xact_id_if_assigned()")
        assert cursor.fetchone() == (None,)
    assert f"{project.pk} {project.name}: 1 proposal would be made, 1 skipped.\n" in shown
    assert "    propose: Rotate the keys (45 min)\n    skipped: Rotate the keys (Weekly cap, until " in shown
    assert f"{full.pk} {full.name}: Enough missions are ready or proposed. No proposals needed.\n" in shown
    assert f"{paused.pk} {paused.name}: The fallback is paused. Resume it first.\n" in shown
    assert shown.endswith("No changes were made.\n")
    assert not MissionFallbackRun.objects.exists()
    assert not MissionFallbackSample.objects.exists()


def test_dry_run_of_project_prints_its_plan():
    project, other = a_project(), a_project(templates=1)
    shown = output("--dry-run", "--project", project.slug)
    assert shown == (
        f"{project.pk} {project.name}: 0 proposals would be made, 1 skipped.\n"
        "    skipped: everything (No enabled template)\nNo changes were made.\n"
    )
    assert other.name not in shown


def test_run_matches_dry_run():
    project = a_project(templates=4, weekly_mission_cap=3)
    shown = output("--dry-run", "--project", project.pk)
    run = make_run(actor=Member.objects.system(), project=project)
    proposed = [
        line.split(": ", 1)[1].removesuffix(" (60 min)") for line in shown.splitlines() if "    propose:" in line
    ]
    assert proposed == list(run.items.order_by("id").values_list("title", flat=True))
    assert shown.count("skipped:") == len(run.skipped) == 2


# --- Jobs -------------------------------------------------------------------------------------


def ended(job: int) -> str:
    """Wait for the end of a job, and return its status."""
    return until(lambda: (status := status_of(job)[0]) in ("succeeded", "failed", "aborted") and status, "the job")


def test_worker_runs_checks_reports_and_reconciliation(documents_root, monkeypatch):
    monkeypatch.setenv("DOCUMENTS_ROOT", str(documents_root))
    lacking, full = a_project(templates=1), a_full_project()
    (item,) = a_review(1)
    pause_fallback(actor=Member.objects.system(), config=item.project.fallback_config)
    discard_item(actor=Member.objects.system(), item=item, feedback="no")
    lost = MissionFallbackRun.objects.get(pk=item.run_id)
    (documents_root / lost.report_path).unlink()
    # The jobs are deferred before the worker starts, so that no other job is due.
    jobs = [job.defer(timestamp=0) for job in (run_fallback, repair_fallback_reports, reconcile_fallback)]
    with running_worker():
        assert [ended(job) for job in jobs] == ["succeeded"] * 3
    run = lacking.fallback_runs.get()
    assert (run.triggered_by, run.generated_count, run.status) == (Trigger.AUTOMATIC, 5, RunStatus.AWAITING_REVIEW)
    assert MissionFallbackSample.objects.filter(project=full).exists()
    assert not full.fallback_runs.exists()
    assert (documents_root / lost.report_path).exists()


def test_reconciliation_fails_on_wrong_count(documents_root, monkeypatch):
    monkeypatch.setenv("DOCUMENTS_ROOT", str(documents_root))
    run = a_review(2)[0].run
    assert reconcile_fallback(timestamp=0) == 0
    with without(NO_COUNTING.format("DISABLE"), NO_COUNTING.format("ENABLE")):
        MissionFallbackRun.objects.filter(pk=run.pk).update(generated_count=7)
    with pytest.raises(RuntimeError, match=f"1 counts differ from their rows: run {run.pk}"):
        reconcile_fallback(timestamp=0)
    job = reconcile_fallback.defer(timestamp=0)
    with running_worker():
        assert ended(job) == "failed"


def test_every_job_can_run_again(documents_root):
    project = a_project(templates=1)
    yesterday = timezone.now() - timedelta(days=1)
    cancelled = RunFactory(status=RunStatus.CANCELLED, started_at=yesterday, completed_at=yesterday)
    for job, first, second in [
        (run_fallback, 1, 0),
        (repair_fallback_reports, {"written": 1, "removed": 0}, {"written": 0, "removed": 0}),
        (reconcile_fallback, 0, 0),
    ]:
        assert [job(timestamp=0), job(timestamp=0)] == [first, second]
    assert project.fallback_runs.count() == 1
    assert (documents_root / MissionFallbackRun.objects.get(pk=cancelled.pk).report_path).exists()


def test_job_logs_project_it_could_not_check(monkeypatch, caplog):
    caplog.set_level("INFO", logger="fallback.tasks")
    project = a_project(templates=1)

    def pause_meanwhile(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "due_fallback_projects" in sql:
            pause_fallback(actor=Member.objects.system(), config=project.fallback_config)
        return result

    with connection.execute_wrapper(pause_meanwhile):
        assert run_fallback(timestamp=0) == 0
    assert f"project {project.pk}: The fallback is paused. Resume it first." in caplog.text
