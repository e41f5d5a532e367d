"""Forms and actions of projects and the fallback."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fallback.models import (
    Flow,
    Mission,
    MissionDependency,
    MissionFallbackItem,
    MissionFallbackRun,
    Organization,
    Project,
    ProjectActivity,
)
from fallback.models.choices import ConfigStatus, RunStatus
from fallback.services.configs import pause_fallback, update_config
from fallback.services.review import accept_item
from fallback.services.runs import run_fallback
from groups.models import Member
from tests.fallback.pages import errors, form_of, objects_of, page
from tests.support.admin import client, client_of, page_text, staff
from tests.support.factories.fallback import (
    ActorFactory,
    ConfigFactory,
    FlowFactory,
    MissionFactory,
    ProjectFactory,
    RepositoryFactory,
    TemplateFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief() -> Client:
    return client_of(staff(is_superuser=True))


@pytest.fixture
def project() -> Project:
    project = ProjectFactory(name="The website", slug="website", organization__name="The colony")
    ConfigFactory(project=project, backlog_threshold=3)
    return project


@pytest.fixture
def config(project):
    return project.fallback_config


class TestForms:
    @pytest.mark.parametrize("zone", ["Lisbon", "Europe/Atlantis", "a\x00b", ""])
    def test_unknown_time_zone_keeps_form_values(self, chief, zone):
        values = {"name": "The harbour", "slug": "harbour", "timezone": zone, "fallback_rollout_percent": "40"}
        response = chief.post(page("organization", "add"), values)
        assert "timezone" in errors(response)
        for kept in ('value="The harbour"', 'value="harbour"', 'value="40"'):
            assert kept in page_text(response)
        assert not Organization.objects.exists()

    def test_create_organization(self, chief):
        values = {"name": "The harbour", "slug": "harbour", "timezone": "Asia/Tokyo", "fallback_rollout_percent": "40"}
        chief.post(page("organization", "add"), values)
        assert Organization.objects.get().timezone == "Asia/Tokyo"

    def test_taken_short_name_keeps_form_values(self, chief, project):
        values = {
            "organization": project.organization.pk,
            "name": "Another website",
            "slug": "website",
            "description": "Typed text",
            "privacy": "private",
        }
        response = chief.post(page("project", "add"), values)
        assert errors(response)
        assert "Another project of the organisation already has this short name." in page_text(response)
        for kept in ("Another website", "Typed text"):
            assert kept in page_text(response)
        assert Project.objects.count() == 1

    @pytest.mark.parametrize(
        ("stages", "message"),
        [
            ("", "This field is required."),
            (" \n\t\n", "This field is required."),
            ("x" * 65, "An entry has at most 64 characters; this one has 65"),
            ("\n".join(f"stage {number}" for number in range(21)), "Enter at most 20 entries; there are 21."),
        ],
        ids=["empty", "blank", "long", "many"],
    )
    def test_invalid_stages_keep_form_values(self, chief, project, stages, message):
        values = {"project": project.pk, "name": "Build", "stages": stages, "description": "Typed text"}
        response = chief.post(page("flow", "add"), values)
        assert "stages" in errors(response)
        assert message in page_text(response)
        assert "Typed text" in page_text(response)
        assert not Flow.objects.exists()

    def test_stages_are_entered_one_per_line(self, chief, project):
        values = {"project": project.pk, "name": "Build", "stages": " plan, draft \r\n\r\ncode", "description": ""}
        chief.post(page("flow", "add"), values)
        flow = Flow.objects.get()
        assert flow.stages == ["plan, draft", "code"]
        assert form_of(chief.get(page("flow", "change", flow)))["stages"].split() == ["plan,", "draft", "code"]

    def test_unchanged_list_records_nothing(self, chief, project):
        template = TemplateFactory(project=project, tags=["docs", "small"])
        address = page("missionfallbacktemplate", "change", template)
        values = form_of(chief.get(address))
        assert values["tags"] == "docs, small"
        chief.post(address, values)
        assert not ProjectActivity.objects.filter(type="template.changed").exists()
        chief.post(address, values | {"tags": "docs,, large "})
        template.refresh_from_db()
        assert template.tags == ["docs", "large"]
        assert ProjectActivity.objects.filter(type="template.changed").count() == 1

    @pytest.mark.parametrize(
        "model", ["organization", "project", "flow", "actor", "projectrepository", "mission", "missionfallbacktemplate"]
    )
    def test_null_character_is_field_error(self, chief, project, model):
        TemplateFactory(project=project)
        accept_item(
            actor=Member.objects.system(),
            item=run_fallback(actor=Member.objects.system(), project=project).items.first(),
        )
        obj = objects_of(project)[model]
        address = page(model, "change", obj)
        values = form_of(chief.get(address))
        name = "title" if model == "mission" else "name"
        assert name in errors(chief.post(address, values | {name: "a\x00b"}))

    @pytest.mark.parametrize("model", ["flow", "actor", "projectrepository"])
    def test_taken_name_is_rejected(self, chief, project, model):
        factory = {"flow": FlowFactory, "actor": ActorFactory, "projectrepository": RepositoryFactory}[model]
        one, other = factory(project=project, name="One"), factory(project=project, name="Other")
        address = page(model, "change", other)
        response = chief.post(address, form_of(chief.get(address)) | {"name": "One"})
        assert "name" in errors(response) or "already" in page_text(response)
        other.refresh_from_db()
        assert (one.name, other.name) == ("One", "Other")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("backlog_threshold", "-1"),
            ("backlog_threshold", "1001"),
            ("check_cadence_minutes", "0"),
            ("weekly_mission_cap", "9" * 30),
            ("monthly_target_hours", "many"),
        ],
    )
    def test_guardrails_out_of_range_are_rejected(self, chief, config, field, value):
        address = page("missionfallbackconfig", "change", config)
        response = chief.post(address, form_of(chief.get(address)) | {field: value})
        assert errors(response)
        assert f'value="{value}"' in page_text(response)

    def test_edit_calls_service(self, chief, project):
        mission = MissionFactory(project=project)
        address = page("mission", "change", mission)
        response = chief.post(address, form_of(chief.get(address)) | {"title": "Renamed"})
        assert response.status_code == 302
        mission.refresh_from_db()
        assert mission.title == "Renamed"
        assert mission.events.filter(type="mission.changed").exists()

    def test_post_without_csrf_token_is_rejected(self, project):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(staff(is_superuser=True))
        for address in (
            page("organization", "add"),
            page("missionfallbackconfig", "pause", project.fallback_config),
            reverse("admin:fallback_run_now", args=[project.fallback_config.pk]),
        ):
            assert strict.post(address, {"name": "x", "reason": "x"}).status_code == 403
        project.fallback_config.refresh_from_db()
        assert project.fallback_config.status == ConfigStatus.ACTIVE
        assert not MissionFallbackRun.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestPartsOfAnotherProject:
    """The constraints are deferred to the commit, so these tests commit."""

    @pytest.mark.parametrize("part", ["flow", "actor", "repository"])
    @pytest.mark.parametrize("model", ["mission", "missionfallbacktemplate"])
    def test_edit_shows_error_at_field(self, chief, part, model):
        factory = {"flow": FlowFactory, "actor": ActorFactory, "repository": RepositoryFactory}[part]
        obj = (MissionFactory if model == "mission" else TemplateFactory)()
        address = page(model, "change", obj)
        response = chief.post(address, form_of(chief.get(address)) | {part: factory().pk})
        assert part in errors(response)
        assert f"This {part} belongs to another project." in page_text(response)

    def test_add_of_mission_shows_error_and_keeps_values(self, chief):
        values = form_of(chief.get(page("mission", "add")))
        values |= {"project": ProjectFactory().pk, "title": "Typed words", "flow": FlowFactory().pk}
        response = chief.post(page("mission", "add"), values)
        assert "This flow belongs to another project." in page_text(response)
        assert "Typed words" in page_text(response)
        assert not Mission.objects.exists()


class TestRunNow:
    def address(self, config) -> str:
        return reverse("admin:fallback_run_now", args=[config.pk])

    def test_run_matches_plan(self, chief, config, project):
        TemplateFactory.create_batch(2, project=project)
        plan = page_text(chief.get(page("missionfallbackconfig", "plan", config)))
        assert "3 proposals would be made." in plan
        response = chief.post(self.address(config), follow=True)
        assert "3 proposed." in page_text(response)
        assert MissionFallbackItem.objects.proposed().count() == 3

    @pytest.mark.seed("004 command, button and API run the fallback; a dry run writes nothing")
    def test_dry_run_writes_nothing(self, chief, config, project):
        TemplateFactory(project=project)
        response = chief.post(self.address(config), {"dry_run": "1"}, follow=True)
        assert "3 proposals would be made. No changes were made." in page_text(response)
        assert not MissionFallbackRun.objects.exists()
        config.refresh_from_db()
        assert config.last_run_at is None

    def test_get_starts_no_run(self, chief, config, project):
        TemplateFactory(project=project)
        assert chief.get(self.address(config)).status_code == 405
        assert not MissionFallbackRun.objects.exists()

    def test_skipped_template_shows_guardrail_and_reset(self, chief, config, project):
        template = TemplateFactory(project=project, name="Answer questions")
        update_config(actor=Member.objects.system(), config=config, weekly_mission_cap=1)
        plan = page_text(chief.get(page("missionfallbackconfig", "plan", config)))
        assert "1 proposal would be made, 2 skipped." in plan
        assert "Weekly cap" in plan
        response = chief.post(self.address(config), follow=True)
        assert "1 proposed, 2 skipped." in page_text(response)
        run = MissionFallbackRun.objects.get()
        report = page_text(chief.get(page("missionfallbackrun", "report", run)))
        for text in ("Skipped", "Weekly cap", template.name, "00:00"):
            assert text in report

    def test_run_of_paused_fallback_is_rejected(self, chief, config):
        pause_fallback(actor=Member.objects.system(), config=config)
        assert "The fallback is paused" in page_text(chief.post(self.address(config), follow=True))

    def test_run_without_deficit_makes_nothing(self, chief, config, project):
        MissionFactory.create_batch(3, project=project)
        response = chief.post(self.address(config), follow=True)
        assert response.status_code == 200
        assert not MissionFallbackRun.objects.exists()

    def test_run_without_template_shows_error(self, chief, config):
        assert "No template is enabled" in page_text(chief.post(self.address(config), follow=True))
        assert MissionFallbackRun.objects.get().status == RunStatus.ERRORED

    def test_viewer_cannot_start_run(self, config, project):
        TemplateFactory(project=project)
        auditor = client("Auditor")
        assert "Run now" not in page_text(auditor.get(page("missionfallbackconfig", "plan", config)))
        assert auditor.post(self.address(config)).status_code == 403
        assert not MissionFallbackRun.objects.exists()


class TestPauseAndSnooze:
    def test_pause_and_resume(self, chief, config):
        chief.post(page("missionfallbackconfig", "pause", config), {"reason": "August"})
        config.refresh_from_db()
        assert config.status == ConfigStatus.PAUSED
        assert "August" in page_text(chief.get(page("project", "activity", config.project)))
        chief.post(page("missionfallbackconfig", "resume", config))
        config.refresh_from_db()
        assert config.status == ConfigStatus.ACTIVE

    def test_snooze_sets_end(self, chief, config):
        until = timezone.localtime() + timedelta(days=2)
        values = {"until_0": until.strftime("%Y-%m-%d"), "until_1": "09:00"}
        chief.post(page("missionfallbackconfig", "snooze", config), values)
        config.refresh_from_db()
        assert config.status == ConfigStatus.SNOOZED
        assert timezone.localtime(config.snoozed_until).date() == until.date()
        assert "Snoozed until" in page_text(chief.get(page("missionfallbackconfig")))

    @pytest.mark.parametrize("day", ["2020-01-01", "9999-12-31", "0001-01-01", "tomorrow", "", "2026-02-30"])
    def test_invalid_snooze_keeps_form_values(self, chief, config, day):
        response = chief.post(page("missionfallbackconfig", "snooze", config), {"until_0": day, "until_1": "09:00"})
        assert response.status_code == 200
        assert "until" in response.context["form"].errors
        if day:
            assert day in page_text(response)
        config.refresh_from_db()
        assert config.status == ConfigStatus.ACTIVE

    def test_bulk_pause(self, chief, config):
        other = ConfigFactory()
        values = {"action": "pause", "_selected_action": [config.pk, other.pk], "apply": "1", "reason": "August"}
        assert "2 paused." in page_text(chief.post(page("missionfallbackconfig"), values, follow=True))


class TestJobs:
    def test_move_and_review_mission(self, chief, project):
        mission = MissionFactory(project=project)
        chief.post(page("mission", "move", mission), {"to": "review"})
        chief.post(page("mission", "review", mission), {"status": "rejected", "feedback": "Not yet"})
        mission.refresh_from_db()
        assert (mission.list, mission.review_status, mission.review_feedback) == ("review", "rejected", "Not yet")
        timeline = page_text(chief.get(page("mission", "timeline", mission)))
        for text in ("Created", "Moved", "Reviewed"):
            assert text in timeline

    def test_add_and_remove_dependency(self, chief, project):
        mission, other = MissionFactory(project=project), MissionFactory(project=project, title="Needed first")
        chief.post(page("mission", "add-dependency", mission), {"depends_on": other.pk})
        assert "Needed first" in page_text(chief.get(page("mission", "dependencies", mission)))
        circle = chief.post(page("mission", "add-dependency", other), {"depends_on": mission.pk})
        assert "would create a cycle" in page_text(circle)
        itself = chief.post(page("mission", "add-dependency", mission), {"depends_on": mission.pk})
        assert "cannot depend on itself" in page_text(itself)
        chief.post(page("mission", "remove-dependency", mission), {"depends_on": other.pk})
        assert not MissionDependency.objects.exists()

    def test_bulk_move_of_missions(self, chief, project):
        missions = MissionFactory.create_batch(3, project=project)
        values = {"action": "move", "_selected_action": [each.pk for each in missions], "apply": "1", "to": "done"}
        assert "3 moved." in page_text(chief.post(page("mission"), values, follow=True))
        assert Mission.objects.filter(list="done").count() == 3

    def test_archived_project_takes_no_mission(self, chief, project):
        chief.post(page("project", "archive", project), {"reason": "Done"})
        project.refresh_from_db()
        assert project.is_archived
        response = chief.post(page("mission", "add"), {"project": project.pk, "title": "One more", "priority": "3"})
        assert response.status_code == 200
        assert "One more" in page_text(response)
        assert not Mission.objects.exists()
        chief.post(page("project", "restore", project), {"reason": "Again"})
        project.refresh_from_db()
        assert not project.is_archived

    def test_add_and_remove_project_member(self, chief, project):
        member = staff(display_name="Rita")
        chief.post(page("project", "set-role", project), {"member": member.email, "role": "reviewer"})
        assert "Rita" in page_text(chief.get(page("project", "people", project)))
        membership = project.members.get()
        chief.post(page("project", "remove-member", project), {"membership": membership.pk})
        assert not project.members.exists()

    def test_cancel_run(self, chief, config, project):
        TemplateFactory(project=project)
        run = run_fallback(actor=Member.objects.system(), project=project)
        assert "cancelled" in page_text(chief.post(page("missionfallbackrun", "cancel", run), follow=True))
        run.refresh_from_db()
        assert (run.status, run.discarded_count) == (RunStatus.CANCELLED, 3)

    def test_launch_template(self, chief, project):
        template = TemplateFactory(project=project)
        chief.post(page("missionfallbacktemplate", "launch", template))
        assert Mission.objects.get().title == template.name
        assert "Accepted" in page_text(chief.get(page("missionfallbacktemplate", "uses", template)))
