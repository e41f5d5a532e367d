"""Members of project B cannot read or change anything of project A, even with ids of A.

Both projects are of one organisation. Every text of A holds a word that is looked for in every answer; every row of A,
and every link from another project into A, is compared before and after.
In a build a maintainer of B tries one thing in twenty, the others one in forty each; others the next day.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.test import override_settings

from fallback.models import Mission, Project
from fallback.models.choices import ProjectRole, ProjectStatus
from fallback.selectors.rights import Rights
from fallback.services.missions import create_mission
from fallback.services.projects import set_organization_role, set_project_role
from groups.models import Member
from missionsite.common.api.access import Access
from tests.fallback.intruder import (
    ACTORS,
    CANARY,
    ROUTES,
    WORD,
    WRITTEN_BY_DATABASE,
    Intruder,
    Sent,
    World,
    attempts,
    build,
    by_action,
    by_any_id,
    by_body,
    by_part,
    by_path,
    by_query,
    filled,
    own,
    rows_of_a,
    text_of,
    texts_of,
)
from tests.site import projects
from tests.support.database import shared_rows
from tests.support.factories.groups import StaffFactory
from tests.support.factories.tokens import api_client
from tests.support.sample import share

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_rate(settings):
    settings.API_REQUESTS_PER_MINUTE = 0


@pytest.fixture(scope="module", autouse=True)
def documents_root(tmp_path_factory) -> Iterator[Path]:
    """One folder for all tests, as the objects are created once, with the reports of their runs."""
    root = tmp_path_factory.mktemp("documents")
    local = {"BACKEND": "missionsite.common.documents.LocalDocuments", "OPTIONS": {"location": root}}
    with override_settings(STORAGES=settings.STORAGES | {"documents": local}):
        yield root


@pytest.fixture(scope="module")
def built(documents_root, django_db_setup, django_db_blocker):
    """Create the objects once, in a transaction around the tests that use them."""
    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            made = build()
        yield made


@pytest.fixture
def world(built, db) -> World:
    """Return the objects as copies, since a test changes and refreshes them."""
    return copy.deepcopy(built)


# --- Tests ------------------------------------------------------------------------------------


@pytest.mark.seed("004 every id of project A replayed by a member of B")
@pytest.mark.parametrize("actor", ACTORS)
def test_member_of_another_project_has_no_access(world, actor):
    intruder = Intruder(world, world.people[actor])
    parts = 40 if actor == "project maintainer" else 80
    tried = share(attempts(world, actor), of=parts, shift=ACTORS.index(actor))
    found = intruder.caught(tried)
    assert not found, f"{len(found)} of {intruder.sent}:\n" + "\n".join(found)
    assert intruder.sent == len(tried) > 1_000 // parts


def test_maintainer_of_another_project_gains_nothing_by_ids(world):
    intruder = Intruder(world, world.people["project maintainer"])
    found = intruder.caught(share(by_any_id(world, "project maintainer"), of=120))
    assert not found, "\n".join(found)


def test_own_archived_project_gives_no_access_to_others(world):
    Project.objects.filter(pk=world.b["project"].pk).update(status=ProjectStatus.ARCHIVED)
    intruder = Intruder(world, world.people["project maintainer"])
    found = intruder.caught(share(attempts(world, "project maintainer", (by_path, by_part, by_body)), of=48))
    assert not found, "\n".join(found)


def test_owner_with_lower_project_role_keeps_that_role(world):
    """A role in the project overrides the one from the organisation: this owner is a viewer."""
    owner = StaffFactory(display_name="Owner, viewer of A")
    set_organization_role(
        actor=Member.objects.system(), organization=world.a["organization"], member=owner, role="owner"
    )
    for name in projects.PROJECTS:
        set_project_role(actor=Member.objects.system(), project=world.a[name], member=owner, role=ProjectRole.VIEWER)
    intruder = Intruder(world, owner)
    found = [
        each
        for each in intruder.caught(share(attempts(world, "superuser", (by_path, by_part, by_body, by_action)), of=72))
        if not each.startswith("read: ")
    ]
    assert not found, "\n".join(found)


def test_deactivated_member_loses_session_and_token(world):
    person = world.people["project maintainer"]
    intruder = Intruder(world, person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    answered = set()
    tried = (*by_path(world, "project maintainer"), *own_addresses(world, "project maintainer"))
    for what in share(tried, of=8):
        answer = intruder.send(what)
        sent_to = answer.headers.get("Location", "").partition("?")[0]
        answered.add(("api" if what.is_api else "page", answer.status_code, sent_to))
        assert WORD not in text_of(answer), str(what)
    assert {(kind, status) for kind, status, _ in answered} == {("api", 401), ("api", 405), ("page", 302)}
    assert {place for kind, _, place in answered if kind == "page"} == {"/admin/login/"}
    assert rows_of_a(world) == intruder.before


def own_addresses(world: World, actor: str) -> Iterator[Sent]:
    """Every URL of B."""
    for route in ROUTES:
        yield Sent("GET", filled(route, world.b, actor))


def test_token_without_scope_grants_nothing(world):
    """Calls each operation with a token that lacks only its scope."""
    from missionsite.api import api
    from missionsite.common.scopes import all_scopes

    person = world.people["project maintainer"]
    by_name = {route.template: route for route in ROUTES if route.is_api}
    asked = 0
    for address, operation in api.operations():
        template = "api" + address.replace("{", "<").replace("}", ">")
        if template not in by_name:
            continue
        access: Access = operation.access
        client = api_client(person, *(set(all_scopes()) - {access.scope}))
        method = operation.methods[0]
        body = projects.bodies(world.b).get((template, method), {})
        target = filled(by_name[template], world.b, "project maintainer")
        answer = client.generic(method, target, json.dumps(body), "application/json")
        assert answer.status_code == 403, (method, target)
        assert access.scope in answer.json()["detail"]
        asked += 1
    assert asked == 33


# --- Negative controls ------------------------------------------------------------------------


def test_viewer_sees_canary_on_every_kind_of_page(world):
    viewer = StaffFactory()
    for name in projects.PROJECTS:
        set_project_role(actor=Member.objects.system(), project=world.a[name], member=viewer, role=ProjectRole.VIEWER)
    intruder, pages = Intruder(world, viewer), {}
    for each in attempts(world, "superuser", (by_path, by_query)):
        if each.method == "GET":
            pages.setdefault(each.target.partition("?")[0], []).append(each)
    lists = [f"/admin/fallback/{model._meta.model_name}/" for model in admin.site._registry]
    lists += [f"/api/projects/{world.a['project'].pk}/fallback/items", "/admin/autocomplete/", "/admin/search/"]
    # One request to each kind of page that shows something is enough.
    found = "\n".join(
        next(filter(None, ("\n".join(intruder.caught([each])) for each in pages[path])), "")
        for path in lists
        if path in pages
    )
    for model in admin.site._registry:
        if model._meta.app_label == "fallback" and model._meta.model_name not in ("organization", "workstation"):
            assert f"read: GET /admin/fallback/{model._meta.model_name}/" in found, model
    assert f"read: GET /api/projects/{world.a['project'].pk}/fallback/items" in found
    assert "read: GET /admin/autocomplete/" in found
    assert "read: GET /admin/search/" in found
    assert "changed: " not in found


@pytest.mark.long
@pytest.mark.seed("004 every id of project A replayed by a member of B", control=True)
def test_missing_guard_is_detected(world, monkeypatch):
    """Without the project filter and the check of rights, reads and writes are detected."""
    monkeypatch.setattr(Rights, "project_filter", lambda self, right, *, path="": models.Q())
    monkeypatch.setattr(Rights, "allows", lambda self, right, project: True)
    requests = (
        ("read", "GET", "/admin/fallback/project/"),
        ("changed", "POST", "/admin/fallback/missionfallbackitem/"),
        ("changed", "POST", f"/api/projects/{world.a['project'].pk}/missions"),
    )
    tried = [
        each
        for each in by_path(world, "superuser")
        if any(each.method == method and each.target.startswith(target) for _what, method, target in requests)
    ]
    found = "\n".join(Intruder(world, world.people["project viewer"]).caught(tried))
    for what, method, target in requests:
        assert f"{what}: {method} {target}" in found


def test_link_into_project_a_is_detected(world):
    before = rows_of_a(world)
    mission = create_mission(actor=Member.objects.system(), project=world.b["project"], title="Repeats one of A")
    item = world.b["proposal"]
    type(item).objects.filter(pk=item.pk).update(duplicate_of=world.a["board mission"])
    after = rows_of_a(world)
    assert {name for name in before if before[name] != after[name]} == {"missionfallbackitem.duplicate_of"}
    assert Mission.objects.filter(pk=mission.pk).exists()


def test_every_text_of_a_contains_canary(world):
    """Checks `paint`: each table has rows of A, and all their texts contain the canary."""
    ids = [world.a["project"].pk]
    painted = {}
    for model in apps.get_app_config("fallback").get_models():
        rows = own(model, ids)
        names = list(texts_of(model))
        if model._meta.model_name in WRITTEN_BY_DATABASE or not names or not rows.exists():
            continue
        for row in rows:
            assert all(CANARY in str(getattr(row, name)) for name in names), row
        painted[model._meta.model_name] = len(names)
    assert set(painted) >= {
        "project",
        "flow",
        "actor",
        "projectrepository",
        "mission",
        "missionfallbacktemplate",
        "missionfallbackrun",
        "missionfallbackitem",
    }
    assert painted["mission"] >= 8
