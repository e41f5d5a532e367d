"""Short texts have one line, without control characters, from every interface."""

import re

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from fallback.models import Mission, Project
from groups.models import CommunityMember, Group, Member
from missiondeck.models import DeckMission
from missionsite.common.constraints import (
    ONE_LINE_ERROR,
    OneLineCheck,
    is_one_line,
    one_line_checks,
    replace_control_characters,
)
from missionsite.common.errors import NotOneLine, translate_db_errors
from missionsite.common.tokens import TokenValueRejected, create_token
from tests.groups.import_files import ana, bring
from tests.support.concurrency import without
from tests.support.database import rejected_by, row, rows
from tests.support.factories.fallback import MissionFactory, ProjectFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.missiondeck import DeckMissionFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db

APPS = ("common", "groups", "fallback", "engagement", "missiondeck", "missionsite")
WRONG = ["\x01", "\x07", "\t", "\n", "\r", "\x1b", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029"]
RIGHT = ["", "Ana Silva", "Łódź, 京都 & Ōtsu", "a\u00a0b", "👩\u200d🔧", "O'Neil — “so” <b>", "\\u0007"]
# Short texts that have no rule of their own, and why.
ELSEWHERE = {
    # A form of their own, which has no control character.
    "community_members.member_id": "community_members_member_id_format",
    "community_members.phone": "community_members_phone_format",
    "community_invitations.invitation_code": "community_invitations_code_format",
    "members.member_id": "members_member_id_format",
    "test_runs.digest": "test_runs_digest_form",
    "test_runs.import_key": "test_runs_key_form",
    "test_runs.commit": "test_runs_commit_form",
    "test_runs.build_url": "test_runs_build_url_form",
    "deck_webhooks.url": "deck_webhooks_url_form",
    "deck_tests.issue_url": "deck_tests_issue_url_form",
    "test_run_parts.digest": "test_run_parts_digest_form",
    "dod_evidence_files.digest": "dod_evidence_files_digest_form",
    "custom_fields.name": "custom_fields_name_format",
    "import_mappings.shape": "import_mappings_shape_format",
    "site_favourites.path": "site_favourites_path_form",
    "site_saved_views.path": "site_saved_views_path_form",
    "site_saved_views.query": "site_saved_views_query_form",
    # Made by the site, never typed.
    "engagement_inbound_messages.text_digest": "",
    "members.password": "",
    "member_merge_rows.row_key": "",
    "member_merge_rows.table_name": "",
    "engagement_claims.claimed_by": "",
    "engagement_inbound_messages.effect": "",
    "deck_feeds.digest": "",
    "deck_client_links.digest": "",
    "community_returns.link_digest": "",
    "deck_client_codes.digest": "",
    "api_tokens.prefix": "",
    "api_tokens.digest": "api_tokens_digest_format",
    "worker_processes.host": "",
    "api_idempotency_keys.operation": "",
    "api_idempotency_keys.key": "",
    "fallback_proposal_rollups.template_id": "",
    # The number of a shard or the import key of the run.
    "test_run_parts.label": "",
    "api_idempotency_keys.fingerprint": "api_idempotency_keys_fingerprint_format",
    # Read from reports of tests, and cleaned there.
    "test_runs.name": "",
}


def tables():
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            if model._meta.managed and not model._meta.proxy and not model._meta.db_table.endswith("_history"):
                yield model


def in_the_database() -> dict[str, str]:
    """The validated constraints by name, with their conditions."""
    found = rows("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE convalidated AND contype = 'c'")
    return {name: condition for name, condition in found if name.endswith("_one_line")}


def test_every_short_text_has_one_line_check():
    known = set(in_the_database())
    missing = {
        f"{model._meta.db_table}.{field.column}"
        for model in tables()
        for field in model._meta.local_fields
        # UlidField and other keys are generated, choices have a rule that ends in _known.
        if isinstance(field, models.CharField) and not field.choices and not field.primary_key
        if f"{model._meta.db_table}_{field.column}_one_line" not in known
    }
    assert missing == set(ELSEWHERE)


def test_each_exemption_is_covered_by_constraint():
    there = {name for (name,) in rows("SELECT conname FROM pg_constraint")}
    assert {name for name in ELSEWHERE.values() if name} <= there


def test_models_and_database_have_same_checks():
    declared = {rule.name for model in tables() for rule in model._meta.constraints if isinstance(rule, OneLineCheck)}
    assert declared == set(in_the_database())
    assert len(declared) > 60


@pytest.mark.parametrize("character", WRONG)
def test_python_and_postgresql_reject_same_characters(character):
    text = f"before{character}after"
    assert not is_one_line(text)
    assert replace_control_characters(text) == "before after"
    with rejected_by("groups_name_one_line"):
        rows("INSERT INTO groups (name, type) VALUES (%s, 'colony')", [text])


@pytest.mark.parametrize("text", RIGHT)
def test_python_and_postgresql_accept_same_texts(text):
    assert is_one_line(text)
    assert replace_control_characters(text) == text
    assert row("SELECT %s !~ %s", [text, re.search(r"'(\[.*\])'", in_the_database()["groups_name_one_line"])[1]])[0]


def test_check_deconstructs_to_django_constraint():
    (rule,) = one_line_checks("projects", "name")
    assert rule.deconstruct()[0] == "django.db.models.CheckConstraint"
    assert rule.clone() == rule == models.CheckConstraint(**rule.deconstruct()[2])


@pytest.mark.parametrize("make", [lambda: Group(name="a\nb", type="colony"), lambda: Member(display_name="a\x07b")])
def test_validation_names_field_without_query(make, django_assert_num_queries):
    thing = make()
    (rule,) = (rule for rule in thing._meta.constraints if rule.name.endswith("name_one_line"))
    with django_assert_num_queries(0), pytest.raises(ValidationError) as error:
        rule.validate(type(thing), thing)
    assert list(error.value.message_dict.values()) == [[ONE_LINE_ERROR]]


def test_excluded_field_is_not_validated():
    thing = Group(name="a\nb", type="colony")
    for rule in Group._meta.constraints:
        if isinstance(rule, OneLineCheck):
            rule.validate(Group, thing, exclude={"name"})


def test_database_error_names_field():
    with pytest.raises(NotOneLine) as rejection, translate_db_errors():
        rows("INSERT INTO groups (name, type) VALUES (%s, 'colony')", ["a\nb"])
    assert (rejection.value.field, rejection.value.message, rejection.value.status) == ("name", ONE_LINE_ERROR, 422)


def test_token_name_has_one_line():
    from django.utils import timezone

    with pytest.raises(TokenValueRejected) as rejection:
        create_token(
            actor=StaffFactory(),
            owner=StaffFactory(),
            name="a\x07b",
            scopes=["missions:read"],
            expires_at=timezone.now() + timezone.timedelta(days=1),
        )
    assert rejection.value.field == "name"


# --- Forms ------------------------------------------------------------------------------------


@pytest.fixture
def root(client):
    client.force_login(StaffFactory(is_superuser=True))
    return client


FORMS = {
    "colony": (
        "admin:groups_colony_add",
        lambda: [],
        lambda: {"name": "Bell\x07tower"},
        "name",
    ),
    "member": (
        "admin:groups_member_change",
        lambda: [MemberFactory().pk],
        lambda: {"email": "bell@example.org", "display_name": "Bell\x07tower", "trust_score": 0},
        "display_name",
    ),
    "project": (
        "admin:fallback_project_change",
        lambda: [ProjectFactory().pk],
        lambda: {"name": "Bell\x07tower", "slug": "bell", "privacy": "private"},
        "name",
    ),
    "mission": (
        "admin:fallback_mission_add",
        lambda: [],
        lambda: {"project": ProjectFactory().pk, "title": "Bell\x07tower", "priority": 3},
        "title",
    ),
    "client mission": (
        "admin:missiondeck_deckmission_change",
        lambda: [DeckMissionFactory().pk],
        lambda: {
            "title": "Bell\x07tower",
            "client": "Acme",
            "budget": 1,
            "currency": "USD",
            "deadline_0": "2026-12-10",
            "deadline_1": "12:00",
            "assigned_to": "a@example.org",
        },
        "title",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form_shows_error_at_field_and_keeps_values(root, name):
    page, arguments, values, field = FORMS[name]
    answer = root.post(reverse(page, args=arguments()), values())
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert form.errors[field] == [ONE_LINE_ERROR]
    assert form[field].value() == "Bell\x07tower"


def test_action_form_shows_error_at_field(root):
    from tests.support.factories.groups import MembershipFactory

    membership = MembershipFactory()
    answer = root.post(reverse("admin:groups_membership_role", args=[membership.pk]), {"role": "Le\x07ad"})
    assert answer.status_code == 200
    assert answer.context["form"].errors == {"role": [ONE_LINE_ERROR]}


# --- API --------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\x07", "\n"])
@pytest.mark.parametrize("field", ["title", "client"])
def test_api_names_field_of_client_mission(field, character):
    client = api_client(StaffFactory(is_superuser=True))
    body = {
        "title": "Landing",
        "client": "Beta",
        "budget": 450,
        "deadline": "2026-12-10T23:59:59Z",
        "assigned_to": "noor@example.org",
    }
    body[field] = f"bell{character}tower"
    answer = client.post("/api/deck/missions", body, content_type="application/json")
    _names(answer, field)
    assert not DeckMission.objects.exists()


def test_api_names_field_of_board_mission():
    client, project = api_client(StaffFactory(is_superuser=True)), ProjectFactory()
    address = f"/api/projects/{project.pk}/missions"
    _names(client.post(address, {"title": "bell\x07tower"}, content_type="application/json"), "title")
    mission = MissionFactory(project=project)
    answer = client.patch(f"{address}/{mission.pk}", {"title": "bell\ntower"}, content_type="application/json")
    _names(answer, "title")
    assert Mission.objects.get().title == mission.title


def _names(answer, field: str) -> None:
    document = answer.json()
    assert answer.status_code == 422, document
    assert answer["Content-Type"] == "application/problem+json"
    assert document["errors"] == [{"pointer": f"/{field}", "detail": ONE_LINE_ERROR}]


# --- Import -----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["name", "organization", "country"])
def test_import_error_names_line_and_column(column):
    report = bring(ana(**{column: "Bell\x07tower"}))
    assert [(error.line, error.column, error.sentence) for error in report.errors] == [(2, column, ONE_LINE_ERROR)]
    assert not CommunityMember.objects.exists()


# --- Negative control -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_control_without_check_character_is_stored():
    (definition,) = row("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'projects_name_one_line'")
    restore = f"ALTER TABLE projects ADD CONSTRAINT projects_name_one_line {definition}"
    project = ProjectFactory()
    with without("ALTER TABLE projects DROP CONSTRAINT projects_name_one_line", restore):
        rows("UPDATE projects SET name = %s WHERE id = %s", ["bell\x07tower", project.pk])
        assert Project.objects.get().name == "bell\x07tower"
        rows("UPDATE projects SET name = 'Bell tower'")
