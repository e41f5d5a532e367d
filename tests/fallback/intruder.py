"""Every way in which a member of project B may try to read or change project A with its ids."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.apps import apps
from django.db import connection, models
from django.http import HttpResponse
from django.test import RequestFactory

from fallback.models import Project
from fallback.models.choices import Privacy
from fallback.services.projects import set_organization_role, set_project_role
from fallback.services.reports import write_report
from groups.models import Member
from tests.site import projects
from tests.site.routes import Route, bulk_actions, routes
from tests.site.world import first_bytes, undone
from tests.support.admin import OfficeClient
from tests.support.factories.fallback import OrganizationFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

# The text that no response may contain. Searches use only its beginning, because pages repeat the search term.
CANARY, WORD, SOUGHT = "Kanarienvogel", "vogel", "kanarien"
ACTORS = (*projects.PROJECT_STAFF, "organisation member")
# The path to the project of a row, for tables without `project_id`.
THROUGH = {"missiondependency": "mission__project", "githubpullrequest": "mission__project"}
ROUTES = [route for route in routes() if route.template.startswith(("admin/fallback/", "api/projects"))]


@dataclass(frozen=True)
class Sent:
    """One request. body: a form, or JSON for the API."""

    method: str
    target: str
    body: dict = field(default_factory=dict)
    headers: tuple = ()

    @property
    def is_api(self) -> bool:
        return self.target.startswith("/api/")

    def __str__(self) -> str:
        return f"{self.method} {self.target} {self.body or ''}"


@dataclass
class World:
    """The objects of both projects, and the members of B."""

    a: dict[str, object]
    b: dict[str, object]
    people: dict[str, object]


def model_of(route: Route) -> str:
    return "/".join(route.template.split("/")[1:3])


def build() -> World:
    organization = OrganizationFactory(name="Both trust")
    people = {name: StaffFactory(display_name=name) for name in ACTORS}
    a, b = ({"organization": organization, "member": MemberFactory()} for _ in range(2))
    projects.fill_projects(a, {"superuser": StaffFactory(is_superuser=True)})
    a["assignee"], b["assignee"] = StaffFactory(display_name="Reviewer of A"), people["project reviewer"]
    set_project_role(actor=Member.objects.system(), project=a["project"], member=a["assignee"], role="reviewer")
    paint(a)
    projects.fill_projects(b, {**people, "superuser": StaffFactory(is_superuser=True)})
    for name in projects.PROJECTS:
        for actor, role in projects.PROJECT_STAFF.items():
            set_project_role(actor=Member.objects.system(), project=b[name], member=people[actor], role=role)
        b[name].privacy = Privacy.ORGANIZATION
        b[name].save(update_fields=["privacy"])
    for person in people.values():
        set_organization_role(actor=Member.objects.system(), organization=organization, member=person, role="member")
    return World(a, b, people)


def own(model: type[models.Model], ids: list[str]) -> models.QuerySet:
    """The rows of a table that belong to these projects; none for tables without projects."""
    if model is Project:
        return model._base_manager.filter(pk__in=ids)
    if path := THROUGH.get(model._meta.model_name):
        return model._base_manager.filter(**{f"{path}__in": ids})
    if any(each.name == "project" for each in model._meta.fields):
        return model._base_manager.filter(project__in=ids)
    return model._base_manager.none()


def texts_of(model: type[models.Model]) -> dict[str, object]:
    """The canary for each text column of a table, except for columns that the database interprets."""
    values = {}
    for column in model._meta.fields:
        kept = column.primary_key or column.choices or column.unique or column.name in ("report_path", "tasks_path")
        if kept or column.name in ("type", "skipped", "payload", "default_branch"):
            continue
        if isinstance(column, models.SlugField):
            continue
        if isinstance(column, models.CharField | models.TextField):
            values[column.name] = f"{CANARY} {column.name}"[: column.max_length or 200]
        elif isinstance(column, models.JSONField):
            values[column.name] = [f"{CANARY} {column.name}"]
    return values


# Written when something happens; never changed.
WRITTEN_BY_DATABASE = ("missionevent", "projectactivity", "proposalrollup")


def paint(things: dict[str, object]) -> None:
    """Write the canary into all texts of the projects of these objects; names stay unique."""
    ids = [things[name].pk for name in projects.PROJECTS]
    skipped = [{"template": things["template"].pk, "name": CANARY, "guardrail": "weekly_mission_cap", "resetsAt": None}]
    for model in apps.get_app_config("fallback").get_models():
        if model._meta.model_name in WRITTEN_BY_DATABASE:
            continue
        for row in own(model, ids):
            values = texts_of(model)
            for name in ("name", "title"):
                if name in values:
                    values[name] = f"{CANARY} {row.pk}"
            if model._meta.model_name == "missionfallbackrun":
                values["skipped"] = skipped
            if values:
                model._base_manager.filter(pk=row.pk).update(**values)
    write_report(things["ended run"].pk)
    for thing in things.values():
        thing.refresh_from_db()


def rows_of_a(world: World) -> dict[str, list]:
    """All rows of A's projects, and all links from other rows to them."""
    ids = [world.a[name].pk for name in projects.PROJECTS]
    found = {}
    for model in apps.get_app_config("fallback").get_models():
        name = model._meta.model_name
        found[name] = list(own(model, ids).order_by("pk").values_list())
        for column in model._meta.fields:
            if column.remote_field and any(f.name == "project" for f in column.remote_field.model._meta.fields):
                into = model._base_manager.filter(**{f"{column.name}__project__in": ids}).order_by("pk")
                found[f"{name}.{column.name}"] = list(into.values_list("pk", flat=True))
    return found


class Intruder:
    """Sends requests of one member and checks the responses; changes are rolled back."""

    def __init__(self, world: World, person) -> None:
        self.world, self.sent = world, 0
        self.browser = OfficeClient(raise_request_exception=False)
        self.browser.force_login(person)
        self.program = api_client(person)
        self.before, self.written = rows_of_a(world), self._written()

    def send(self, what: Sent) -> HttpResponse:
        client, headers = (self.program if what.is_api else self.browser), dict(what.headers)
        if what.is_api:
            return client.generic(
                what.method,
                what.target,
                json.dumps(what.body) if what.body else "",
                "application/json",
                headers=headers,
            )
        if what.method == "POST":
            return client.post(what.target, what.body, headers=headers)
        return client.get(what.target, headers=headers)

    def caught(self, attempts: Iterator[Sent]) -> list[str]:
        """The requests that showed or changed something of A, or failed."""
        found = []
        for what in attempts:
            cookies = self.browser.cookies.copy()
            with undone():
                answer = self.send(what)
                content = text_of(answer)
                written, last = self._written(), self.written
                self.written = written
                changed = written != last and rows_of_a(self.world) != self.before
            self.browser.cookies = cookies
            self.sent += 1
            if answer.status_code >= 500:
                found.append(f"{answer.status_code}: {what}")
            if WORD in content:
                at = content.index(WORD)
                found.append(f"read: {what} -> {answer.status_code} …{content[max(0, at - 80) : at + 40]}…")
            if changed:
                found.append(f"changed: {what} -> {answer.status_code}")
        return found

    @staticmethod
    def _written() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
            return cursor.fetchone()[0]


def text_of(answer: HttpResponse) -> str:
    """The text of a response: content, headers and cookies (messages are in a cookie)."""
    content = (first_bytes(answer) if answer.streaming else answer.content).decode(errors="replace")
    return f"{content} {answer.items()} {answer.cookies.output()}"


# --- Attempts ---------------------------------------------------------------------------------


def filled(route: Route, things: dict[str, object], actor: str, **others) -> str:
    """The URL of a route with the ids of these objects. others: parts with other ids."""
    values = {}
    for part in route.parts:
        if part == "object_id":
            values[part] = things[projects.OBJECTS.get(route.name) or projects.OBJECTS[model_of(route)]].pk
        else:
            values[part] = projects.part(things, part, route.name, actor)
    return route.fill(**{**values, **others})


def swapped(body: dict, b: dict[str, object], a: dict[str, object]) -> Iterator[dict]:
    """The body with ids of B replaced by those of A: each alone, then all."""
    theirs = {thing.pk: a[name].pk for name, thing in b.items() if name in a and name not in ("member", "organization")}

    def other(value):
        if isinstance(value, list):
            return [other(each) for each in value]
        return theirs.get(value, value)

    names = [name for name, value in body.items() if other(value) != value]
    for name in names:
        yield {**body, name: other(body[name])}
    if len(names) > 1:
        yield {name: other(value) for name, value in body.items()}


def by_path(world: World, actor: str) -> Iterator[Sent]:
    """GET and POST to every URL of A."""
    forms, bodies = projects.forms(world.a), projects.bodies(world.a)
    for route in ROUTES:
        target = filled(route, world.a, actor)
        if not route.parts:
            continue
        if route.is_api:
            yield Sent("GET", target)
            for method in ("POST", "PATCH"):
                yield Sent(method, target, bodies.get((route.template, method), {}))
            continue
        yield Sent("GET", target)
        yield Sent("GET", target, headers=(("X-Fragment", "board"), ("Accept", "application/json")))
        yield Sent("POST", target, forms.get(route.name, {}))
        yield Sent("POST", target, forms.get(route.name, {}), (("Accept", "application/json"),))


def by_part(world: World, actor: str) -> Iterator[Sent]:
    """Operations with objects of both projects in the URL."""
    bodies = projects.bodies(world.b)
    for route in ROUTES:
        if not (route.is_api and len(route.parts) > 1):
            continue
        for things, project in ((world.a, world.b), (world.b, world.a)):
            target = filled(route, things, actor, project=project["project"].pk)
            yield Sent("GET", target)
            for method in ("POST", "PATCH"):
                yield Sent(method, target, bodies.get((route.template, method), {}))


def by_body(world: World, actor: str) -> Iterator[Sent]:
    """Forms and bodies of B that name objects of A."""
    forms, bodies = projects.forms(world.b), projects.bodies(world.b)
    for route in ROUTES:
        target = filled(route, world.b, actor)
        if route.is_api:
            for method in ("POST", "PATCH"):
                for body in swapped(bodies.get((route.template, method), {}), world.b, world.a):
                    yield Sent(method, target, body)
            continue
        for body in swapped(forms.get(route.name, {}), world.b, world.a):
            yield Sent("POST", target, body)
            yield Sent("POST", target, body, (("Accept", "application/json"),))
    at = f"/api/projects/{world.b['project'].pk}"
    item, mission = world.b["proposal"].pk, world.b["board mission"].pk
    yield Sent("POST", f"{at}/fallback/items/{item}/discard", {"duplicate_of": world.a["board mission"].pk})
    for beside in ("before", "after"):
        yield Sent("POST", f"{at}/missions/{mission}/move", {"list": "todo", beside: world.a["board mission"].pk})
        form = {"list": "todo", beside: world.a["board mission"].pk}
        yield Sent("POST", f"/admin/fallback/mission/{mission}/position/", form)


def by_hidden_field(world: World, actor: str) -> Iterator[Sent]:
    """Forms of B with additional fields of the row."""
    hidden = {
        "project": world.a["project"].pk,
        "run": world.a["run"].pk,
        "template": world.a["template"].pk,
        "fallback_item": world.a["proposal"].pk,
        "flow": world.a["flow"].pk,
        "actor": world.a["persona"].pk,
        "repository": world.a["repository"].pk,
        "id": world.a["board mission"].pk,
        "pk": world.a["board mission"].pk,
        "mission": world.a["board mission"].pk,
        "duplicate_of": world.a["board mission"].pk,
        "membership": world.a["project membership"].pk,
    }
    forms = projects.forms(world.b)
    for route in ROUTES:
        if not route.is_api:
            yield Sent("POST", filled(route, world.b, actor), {**hidden, **forms.get(route.name, {})})
            yield Sent("POST", filled(route, world.b, actor), {**forms.get(route.name, {}), **hidden})


def by_query(world: World, actor: str) -> Iterator[Sent]:
    """Lists, pickers, add forms, the review page and the search with parameters that name A."""
    ids = {name: world.a[name].pk for name in ("project", "template", "run", "flow", "persona", "repository")}
    mission, item = world.a["board mission"].pk, world.a["proposal"].pk
    given = {"project": ids["project"], "flow": ids["flow"], "actor": ids["persona"], "repository": ids["repository"]}
    filters = {f"{name}__id__exact": value for name, value in given.items()}
    filters |= {"project": ids["project"], "project__exact": ids["project"], "q": SOUGHT, "run": ids["run"]}
    filters |= {"pk": mission, "id__exact": mission, "project__name__startswith": CANARY[:8], "mission": mission}
    for route in ROUTES:
        target = filled(route, world.b, actor)
        if route.name.endswith("_changelist") or "list_" in route.name:
            for name, value in filters.items():
                yield Sent("GET", f"{target}?{urlencode({name: value})}")
            for key in (ids["project"], mission, item, ids["template"]):
                yield Sent("GET", f"{target}?{urlencode({'q': key})}")
        if route.name.endswith("_add"):
            yield Sent("GET", f"{target}?{urlencode({**given, 'depends_on': mission})}")
    review = "/admin/fallback/missionfallbackitem/review/"
    for headers in ((), (("X-Fragment", "proposals"),)):
        for query in ({"project": ids["project"]}, {"q": SOUGHT}, {"project": ids["project"], "show": "snoozed"}):
            yield Sent("GET", f"{review}?{urlencode(query)}", headers=headers)
    for query in ({}, {"q": SOUGHT}, {"q": mission}):
        yield Sent("GET", f"{review}missions/?{urlencode({'project': ids['project'], **query})}")
    for term in (SOUGHT, mission, ids["project"], ids["template"]):
        yield Sent("GET", f"/admin/search/?{urlencode({'s': term, 'extended': ''})}")
    yield from pickers(ids["project"], mission)
    yield Sent("GET", "/api/projects?limit=200")
    yield Sent("GET", "/admin/")


def pickers(*keys: str) -> Iterator[Sent]:
    """Every field of every model as a picker, searched by name and by id."""
    for model in apps.get_app_config("fallback").get_models():
        for column in model._meta.fields:
            if not column.remote_field:
                continue
            names = {"app_label": "fallback", "model_name": model._meta.model_name, "field_name": column.name}
            for term in ("", SOUGHT, *keys):
                yield Sent("GET", f"/admin/autocomplete/?{urlencode({**names, 'term': term})}")


def by_action(world: World, actor: str) -> Iterator[Sent]:
    """Every action of every list on rows of A, alone and together with one of B."""
    request = RequestFactory().get("/admin/")
    request.user = StaffFactory(is_superuser=True)
    for model, action in sorted(bulk_actions(request)):
        if not model.startswith("fallback/"):
            continue
        chosen = projects.CHOSEN.get(f"{model} {action}") or projects.OBJECTS[model]
        body = {"action": action, "apply": "1", "reason": "Because", **projects.action_body(world.b, action)}
        for rows in ([world.a[chosen].pk], [world.b[chosen].pk, world.a[chosen].pk]):
            yield Sent("POST", f"/admin/{model}/", {**body, "_selected_action": rows, "select_across": "1"})
            form = {key: value for key, value in body.items() if key != "apply"}
            yield Sent("POST", f"/admin/{model}/", {**form, "_selected_action": rows})
    review = "/admin/fallback/missionfallbackitem/review"
    for items in ([world.a["proposal"].pk], [world.a["proposal"].pk, world.b["proposal"].pk]):
        for headers in ((), (("Accept", "application/json"),)):
            yield Sent("POST", f"{review}/accept/", {"items": items}, headers)
            yield Sent("POST", f"{review}/discard/", {"items": items, "reason": "unclear"}, headers)


def by_any_id(world: World, actor: str) -> Iterator[Sent]:
    """Every id of A in the place of every other kind of id."""
    ids = sorted({thing.pk for name, thing in world.a.items() if name not in ("assignee", "member", "organization")})
    for route in ROUTES:
        for key in ids if route.parts else ():
            yield Sent("GET", route.fill(**dict.fromkeys(route.parts, key)))


WAYS = (by_path, by_part, by_body, by_hidden_field, by_query, by_action)


def attempts(world: World, actor: str, ways=WAYS) -> Iterator[Sent]:
    for way in ways:
        yield from way(world, actor)
