"""Lists, tabs and reports of projects and the fallback."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fallback.models import (
    MissionFallbackRun,
    Project,
)
from fallback.services.configs import update_config
from fallback.services.review import accept_item, discard_item
from fallback.services.runs import run_fallback
from groups.models import Member
from tests.fallback.pages import objects_of, page
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.fallback import (
    ConfigFactory,
    ProjectFactory,
    TemplateFactory,
)
from tests.support.sample import share

pytestmark = pytest.mark.django_db
LISTS = {
    "organization": "No organisations yet",
    "project": "No projects yet",
    "flow": "No flows yet",
    "actor": "No actors yet",
    "projectrepository": "No repositories yet",
    "mission": "No missions yet",
    "missionfallbackconfig": "No configurations yet",
    "missionfallbacktemplate": "No templates yet",
    "missionfallbackrun": "No runs yet",
    "missionfallbackitem": "No proposals yet",
}
FORMS = [name for name in LISTS if name not in ("missionfallbackrun", "missionfallbackitem")]


@pytest.fixture
def chief() -> Client:
    return client_of(staff(is_superuser=True))


@pytest.fixture
def project() -> Project:
    project = ProjectFactory(name="The website", slug="website", organization__name="The colony")
    ConfigFactory(project=project, backlog_threshold=3)
    return project


@pytest.fixture
def run(project, django_capture_on_commit_callbacks) -> MissionFallbackRun:
    """A completed run with one accepted and one discarded proposal."""
    TemplateFactory.create_batch(2, project=project)
    update_config(actor=Member.objects.system(), config=project.fallback_config, backlog_threshold=2)
    with django_capture_on_commit_callbacks(execute=True):
        run = run_fallback(actor=Member.objects.system(), project=project)
        first, second = run.items.order_by("created_at", "id")
        accept_item(actor=Member.objects.system(), item=first)
        discard_item(actor=Member.objects.system(), item=second, feedback="We never answer in August")
    run.refresh_from_db()
    return run


TABS = [
    ("organization", "projects"),
    ("organization", "people"),
    ("project", "people"),
    ("project", "repositories"),
    ("project", "flows"),
    ("project", "actors"),
    ("project", "activity"),
    ("mission", "timeline"),
    ("mission", "dependencies"),
    ("missionfallbackconfig", "plan"),
    ("missionfallbacktemplate", "uses"),
    ("missionfallbackrun", "report"),
]
ACTIONS = [
    ("organization", "set-role"),
    ("project", "set-role"),
    ("project", "remove-member"),
    ("project", "archive"),
    ("project", "restore"),
    ("mission", "move"),
    ("mission", "make-ready"),
    ("mission", "make-not-ready"),
    ("mission", "review"),
    ("mission", "add-dependency"),
    ("mission", "remove-dependency"),
    ("missionfallbackconfig", "pause"),
    ("missionfallbackconfig", "snooze"),
    ("missionfallbackconfig", "resume"),
    ("missionfallbacktemplate", "launch"),
    ("missionfallbackrun", "cancel"),
]


class TestEveryPage:
    @pytest.mark.parametrize(("model", "text"), LISTS.items())
    def test_empty_list_shows_hint(self, chief, model, text):
        assert text in page_text(chief.get(page(model)))

    @pytest.mark.parametrize("model", FORMS)
    def test_add_form_opens(self, chief, model):
        assert chief.get(page(model, "add")).status_code == 200

    @pytest.mark.parametrize("model", LISTS)
    def test_lists_and_forms_change_nothing(self, chief, run, project, model):
        obj = objects_of(project)[model]
        before = type(obj).objects.values().get(pk=obj.pk)
        assert str(obj.pk) in chief.get(page(model)).content.decode()
        assert chief.get(page(model, "change", obj)).status_code == 200
        assert type(obj).objects.values().get(pk=obj.pk) == before

    @pytest.mark.parametrize(("model", "name"), TABS + ACTIONS)
    def test_tabs_and_actions_change_nothing(self, chief, run, project, model, name):
        obj = objects_of(project)[model]
        before = type(obj).objects.values().get(pk=obj.pk)
        assert chief.get(page(model, name, obj)).status_code == 200
        assert type(obj).objects.values().get(pk=obj.pk) == before

    def test_pages_of_seeds_open(self, chief):
        call_command("loaddata", "seeds", verbosity=0, stdout=StringIO())
        # In a build one of the four projects, another one the next day.
        for project in share(Project.objects.order_by("pk"), of=4):
            world = objects_of(project)
            for model, obj in world.items():
                assert chief.get(page(model)).status_code == 200
                assert chief.get(page(model, "change", obj)).status_code == 200
            for model, name in TABS:
                assert chief.get(page(model, name, world[model])).status_code == 200
            assert chief.get(reverse("admin:fallback_board", args=[project.pk])).status_code == 200

    @pytest.mark.parametrize("model", LISTS)
    def test_unknown_object_shows_message(self, chief, model):
        for key in ("x", "01ZZZZZZZZZZZZZZZZZZZZZZZZ", "0" * 300):
            response = chief.get(reverse(f"admin:fallback_{model}_change", args=[key]), follow=True)
            assert response.status_code == 200
            assert "exist" in page_text(response)

    @pytest.mark.parametrize("model", LISTS)
    def test_invalid_filters_are_ignored(self, chief, run, model):
        for query in ("project__id__exact=x", "status__exact=x", "nonsense=1"):
            assert chief.get(f"{page(model)}?{query}", follow=True).status_code == 200

    @pytest.mark.parametrize("model", LISTS)
    def test_list_takes_fixed_number_of_queries(self, chief, model):
        fill(1)
        chief.get(page(model))
        with CaptureQueriesContext(connection) as few:
            chief.get(page(model))
        fill(2)
        with CaptureQueriesContext(connection) as many:
            chief.get(page(model))
        assert len(many) == len(few)


def fill(number: int) -> None:
    """Add projects with one row of each kind."""
    for _each in range(number):
        project = ProjectFactory()
        ConfigFactory(project=project, backlog_threshold=2)
        TemplateFactory(project=project)
        run = run_fallback(actor=Member.objects.system(), project=project)
        accept_item(actor=staff(), item=run.items.first())


class TestReport:
    def test_report_tab_shows_decisions(self, chief, run):
        report = page_text(chief.get(page("missionfallbackrun", "report", run)))
        for text in ("Completed", "We never answer in August", "Accepted", "Discarded", run.items.first().title):
            assert text in report

    def test_report_can_be_downloaded(self, chief, run):
        response = chief.get(reverse("admin:fallback_run_report_file", args=[run.pk]))
        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"] == f'attachment; filename="{run.pk}.json"'
        assert response.json()["accepted"] == 1

    def test_lost_report_shows_message(self, chief, run, documents_root):
        (documents_root / run.report_path).unlink()
        assert "The report is available when" in page_text(chief.get(page("missionfallbackrun", "report", run)))
        assert chief.get(reverse("admin:fallback_run_report_file", args=[run.pk])).status_code == 404

    def test_report_is_hidden_from_others(self, run):
        for browser, status in ((client("Auditor"), 200), (client(), 302)):
            assert browser.get(page("missionfallbackrun", "report", run)).status_code == status
