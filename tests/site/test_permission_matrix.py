"""Compare the responses of every URL, method and role with the permission matrix in tests/site/matrix.py.

The addresses come from the URL resolver and the actions from the lists themselves: one without a line fails.
Actors who get the same answers to a line have the same rights there: in a build one of them asks for all, another one
the next time, and half of the lines are asked, the other half the next day. So each line is asked by someone allowed
and someone not every second day. `bin/test --long`: every line, by everyone.
"""

import copy
import json
import re
from dataclasses import dataclass
from functools import cache

import pytest
from django.contrib.auth.models import Group as DjangoGroup
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path

from missionsite.urls import urlpatterns as site_urlpatterns
from tests.site import directory, engagement, joining, matrix, missiondeck, projects
from tests.site.routes import METHODS, Route, bulk_actions, routes
from tests.site.world import (
    MEMBERSHIP,
    OBJECTS,
    REASON,
    Watch,
    World,
    address,
    body_of,
    first_bytes,
    json_of,
    query_of,
    undone,
)
from tests.support.sample import asks_all, turn, whose_turn

pytestmark = pytest.mark.django_db

LETTERS = {
    "Administrator": "A",
    "Mission Manager": "M",
    "Community Manager": "C",
    "Engagement Operator": "E",
    "Fallback Reviewer": "F",
    "Delivery Lead": "D",
    "Auditor": "U",
    "superuser": "S",
    "no role": "N",
    "project viewer": "V",
    "project contributor": "W",
    "project reviewer": "R",
    "project maintainer": "T",
    "organisation owner": "O",
    "outsider": "X",
    "member": "m",
    "reviewer by API": "p",
    "inactive": "i",
    "anonymous": "-",
}
OUTSIDE = ("member", "reviewer by API", "inactive", "anonymous")
PAGE_METHODS = ("GET", "HEAD", "POST")
# Who asks with every method; the others with those that show and change, for a rejected method is did not all.
THOROUGH = ("superuser", "no role", "anonymous")
# A build asks one line in so many with every method, as each of these.
PARTS = 12


@dataclass(frozen=True)
class Line:
    """One line of the matrix: the URL, and the expected response by method."""

    asked: str
    answers: tuple[str, ...]

    @property
    def template(self) -> str:
        return self.asked.partition(" @")[0]

    @property
    def variant(self) -> str:
        return self.asked.partition(" @")[2]


@cache
def lines_of(text: str) -> tuple[Line, ...]:
    lines = []
    for row in text.strip("\n").splitlines():
        if row.strip() and not row.startswith("#"):
            asked, *answers = (cell.strip() for cell in row.split("|"))
            lines.append(Line(asked, tuple(answers)))
    return tuple(lines)


def expected(answer: str, actor: str, otherwise: str = "login") -> str:
    """Return the expected response of a cell for one actor. otherwise: for actors that are not staff and not named."""
    rest = ""
    for part in answer.split():
        outcome, colon, letters = part.partition(":")
        if LETTERS[actor] in letters:
            return outcome
        rest = rest if colon else outcome
    return otherwise if actor in OUTSIDE else rest


def outcome_of(answer: HttpResponse, changed: bool) -> str:
    if changed:
        return "done"
    if answer.get("Content-Disposition", "").startswith("attachment") and answer.streaming:
        first_bytes(answer)
        return "file"
    if answer.streaming:
        # A live page runs for minutes; read its first bytes and close it.
        return "live" if first_bytes(answer).startswith(b"retry:") else "a stream of something else"
    if answer.status_code == 302:
        return "login" if answer["Location"].startswith("/admin/login/") else "to"
    return "ok" if answer.status_code == 200 else str(answer.status_code)


class Asker:
    """Makes requests as one actor; rolls back their changes."""

    def __init__(self, world: World, actor: str) -> None:
        self.world, self.actor, self.watch = world, actor, Watch()
        self.browser, self.program = world.client(actor), world.token_client(actor)
        self.asked = 0

    def page(self, method: str, target: str, body: dict, query: dict | None = None) -> str:
        client = self.browser
        if method == "POST":
            return self._ask(client, lambda: client.post(target, body, query_params=query))
        return self._ask(client, lambda: client.generic(method, target, query_params=query))

    def api(self, method: str, target: str, body: dict | None) -> str:
        return self._ask(self.program, lambda: self.send(method, target, body))

    def send(self, method: str, target: str, body: dict | None) -> HttpResponse:
        """Send a request to the API with a token; a body with files is sent as multipart."""
        if body and any(hasattr(value, "read") for value in body.values()):
            return self.program.post(target, body)
        content = "" if body is None else json.dumps(body)
        return self.program.generic(method, target, content, "application/json")

    def _ask(self, client, send) -> str:
        cookies = copy.copy(client.cookies)
        with undone():
            answer = send()
            outcome = outcome_of(answer, self.watch.changed())
        client.cookies = cookies
        self.asked += 1
        return outcome


@cache
def alike(actor: str, line: Line) -> list[str]:
    """The actors who get the same answers to this line."""
    answers = [expected(cell, actor) for cell in line.answers]
    return [each for each in LETTERS if [expected(cell, each) for cell in line.answers] == answers]


def stands_for(actor: str, line: Line) -> set[str]:
    """Those for whom this actor asks this line: in a build one asks for all who are alike, in a long run each alone."""
    if asks_all():
        return {actor}
    those = alike(actor, line)
    return set(those) if those[(turn() // 2 + len(line.asked)) % len(those)] == actor else set()


def lines_for(actor: str, text: str) -> list[Line]:
    """The lines this actor asks in this run."""
    return [line for line in lines_of(text) if stands_for(actor, line) and whose_turn(len(line.asked), of=2)]


def is_thorough(actor: str, line: Line) -> bool:
    """Whether this actor asks this line with every method."""
    whom = stands_for(actor, line)
    return any(
        each in whom and whose_turn(len(line.asked), of=PARTS, shift=2 * number) for number, each in enumerate(THOROUGH)
    )


def methods_of(actor: str, line: Line) -> tuple[str, ...]:
    """The methods one actor asks a page with.

    A page that answers POST as GET holds no form: what it does, it does to the superuser too.
    """
    if is_thorough(actor, line):
        return METHODS
    return ("GET",) if line.answers[0] == line.answers[1] else ("GET", "POST")


def ask_pages(asker: Asker, lines: list[Line], known: dict[str, Route]) -> list[str]:
    """Return responses of pages that differ from the matrix."""
    wrong = []
    for line in lines:
        route = known[line.template]
        target = address(asker.world, route, asker.actor, line.variant)
        for method in methods_of(asker.actor, line):
            cell = line.answers[{"POST": 1, "HEAD": -1 if line.answers[2:] else 0}.get(method, 0)]
            wanted = expected(cell, asker.actor) if method in PAGE_METHODS else "405"
            got = asker.page(method, target, body_of(asker.world, route), query_of(asker.world, route))
            if got != wanted:
                wrong.append(f"{method} {line.asked}: {wanted} is written, {got} was answered")
    return wrong


def ask_api(asker: Asker, lines: list[Line], known: dict[str, Route]) -> list[str]:
    """The answers of the API that differ from the matrix; a method without a line is 405, asked by the thorough."""
    written, thorough = {}, {}
    for line in lines:
        template, _method = line.asked.rsplit(maxsplit=1)
        thorough[template] = thorough.get(template, False) or not stands_for(asker.actor, line).isdisjoint(THOROUGH)
    for line in lines_of(matrix.API):
        template, method = line.asked.rsplit(maxsplit=1)
        for each in METHODS if method == "*" else [method]:
            written[template, each] = line.answers[0], line in lines
    wrong = []
    for template in thorough:
        for method in METHODS:
            cell, its_turn = written.get((template, method), (None, thorough[template]))
            if not its_turn:
                continue
            wanted = expected(cell, asker.actor, "401") if cell else "405"
            route = known[template]
            got = asker.api(method, address(asker.world, route, asker.actor), json_of(asker.world, route, method))
            if got != wanted:
                wrong.append(f"{method} {template}: {wanted} is written, {got} was answered")
    return wrong


def ask_actions(asker: Asker, lines: list[Line]) -> list[str]:
    """Return actions of lists whose effect differs from the matrix."""
    wrong = []
    for line in lines:
        model, action = line.asked.split()
        target, body = action_of(asker.world, model, action, asker.actor)
        wanted, got = expected(line.answers[0], asker.actor), asker.page("POST", target, body)
        if got != wanted:
            wrong.append(f"{action} of {model}: {wanted} is written, {got} was answered")
    return wrong


# Objects of actions, where they differ from the object of the list's model.
CHOSEN = {
    "procrastinate/procrastinatejob retry": "failed job",
    "procrastinate/procrastinatejob cancel": "job",
    "procrastinate/procrastinatejob abort": "running job",
    "groups/membership leave": "membership",
    "groups/membership role": "membership",
    "groups/membership rejoin": "ended membership",
    "groups/mission archive": "mission",
    "groups/mission restore": "archived mission",
    "groups/colony archive": "empty colony",
    "groups/colony restore": "archived colony",
    "groups/member add_to_mission": "member",
    "groups/member deactivate": "member",
    "groups/member activate": "deactivated member",
    "groups/task claim": "open task",
    "groups/task complete": "claimed task",
    "groups/task reopen": "cancelled task",
    "groups/task cancel": "open task",
    **directory.CHOSEN,
    **joining.CHOSEN,
    **engagement.CHOSEN,
    **missiondeck.CHOSEN,
    **projects.CHOSEN,
}


def action_of(world: World, model: str, action: str, actor: str) -> tuple[str, dict]:
    """Return the URL and a valid body of an action."""
    if model == "common/apitoken":
        chosen = world[f"token row of {actor if actor in world.staff else 'superuser'}"]
    else:
        chosen = world[CHOSEN.get(f"{model} {action}") or OBJECTS[model]]
    body = {"action": action, "_selected_action": [chosen.pk], "apply": "1", **MEMBERSHIP, **REASON}
    if model.startswith("engagement/"):
        body |= engagement.ACTION_BODY
    if model.startswith("fallback/"):
        body |= projects.action_body(world.objects, action)
    if action == "add_to_mission":
        body["group"] = world["mission"].pk
    if action == "tags":
        body["new"] = "Volunteer"
    if action == "claim":
        body["member"] = world["membership"].member_id
    # Removed entries are only in the filtered list.
    return f"/admin/{model}/{'?removed=yes' if action == 'restore' and model.endswith('communitymember') else ''}", body


def without_line(known: list[Route]) -> set[str]:
    """Return the routes without a line in the matrix."""
    written = {line.template for line in lines_of(matrix.PAGES)}
    written |= {line.asked.rsplit(maxsplit=1)[0] for line in lines_of(matrix.API)}
    return {route.template for route in known} - written


@pytest.fixture
def known() -> dict[str, Route]:
    return {route.template: route for route in routes()}


@pytest.mark.seed("site permission matrix: each URL, method and role; a new URL without a line fails")
def test_matrix_lists_every_url(known):
    assert without_line(list(known.values())) == set()
    written = {line.template for line in lines_of(matrix.PAGES)}
    written |= {line.asked.rsplit(maxsplit=1)[0] for line in lines_of(matrix.API)}
    assert written - set(known) == set()


def test_matrix_has_no_duplicates():
    asked = [line.asked for text in (matrix.PAGES, matrix.API, matrix.ACTIONS) for line in lines_of(text)]
    assert sorted(set(asked)) == sorted(asked)


@pytest.mark.seed("site permission matrix: each URL, method and role; a new URL without a line fails")
def test_matrix_lists_every_action(world):
    request = RequestFactory().get("/admin/")
    request.user = world.staff["superuser"]
    written = {tuple(line.asked.split()) for line in lines_of(matrix.ACTIONS)}
    assert written == bulk_actions(request)


# Several actors per test: creating the objects takes longer than the requests.
FEW = [list(LETTERS)[start::5] for start in range(5)]


@pytest.mark.parametrize("text", [matrix.PAGES, matrix.API, matrix.ACTIONS], ids=["pages", "operations", "actions"])
def test_each_line_is_asked_by_one_of_each_kind(text):
    """Whichever the day: no answer of a line is left to another run."""
    for line in lines_of(text):
        for actor in LETTERS:
            assert any(actor in stands_for(each, line) for each in LETTERS), (line.asked, actor)


@pytest.mark.seed(
    "002 who may do what",
    "001 who may do what",
    "site permission matrix: each URL, method and role; a new URL without a line fails",
)
@pytest.mark.parametrize("actors", FEW, ids=", ".join)
def test_site_matches_matrix(world, known, actors):
    wrong = []
    for actor in actors:
        pages, operations, actions = (lines_for(actor, text) for text in (matrix.PAGES, matrix.API, matrix.ACTIONS))
        asker = Asker(world, actor)
        found = ask_pages(asker, pages, known)
        assert asker.asked == sum(len(methods_of(actor, line)) for line in pages)
        found += ask_api(asker, operations, known) + ask_actions(asker, actions)
        wrong += [f"{actor}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)


# --- Negative controls --------------------------------------------------------------------------

NEW_ADDRESS = [*site_urlpatterns, path("admin/new/<uuid:object_id>/", lambda request, object_id: HttpResponse())]


class NewAddress:
    """Return a URLconf with one more URL than the site's."""

    urlpatterns = NEW_ADDRESS


@pytest.mark.seed("site permission matrix: each URL, method and role; a new URL without a line fails", control=True)
def test_unlisted_url_is_detected():
    assert without_line(routes(NewAddress)) == {"admin/new/<object_id>/"}


def test_unlisted_action_is_detected(world, monkeypatch):
    from groups.admin.events import EventAdmin

    monkeypatch.setattr(EventAdmin, "get_actions", lambda self, request: {"forget": None})
    request = RequestFactory().get("/admin/")
    request.user = world.staff["superuser"]
    assert bulk_actions(request) - {tuple(line.asked.split()) for line in lines_of(matrix.ACTIONS)} == {
        ("groups/event", "forget")
    }


def test_added_permission_is_detected(world, known):
    right = Permission.objects.get(codename="archive_group", content_type__app_label="groups")
    DjangoGroup.objects.get(name="Auditor").permissions.add(right)
    asker = Asker(world, "Auditor")
    archiving = [line for line in lines_of(matrix.PAGES) if re.search(r"mission/<object_id>/archive/", line.asked)]
    actions = [line for line in lines_of(matrix.ACTIONS) if line.asked.split() == ["groups/mission", "archive"]]
    assert ask_pages(asker, archiving, known) == [
        "GET admin/groups/mission/<object_id>/archive/: 403 is written, ok was answered",
        "POST admin/groups/mission/<object_id>/archive/: 403 is written, done was answered",
    ]
    assert ask_actions(asker, actions) == ["archive of groups/mission: ok is written, done was answered"]


def test_removed_permission_is_detected(world, known):
    right = Permission.objects.get(codename="view_event", content_type__app_label="groups")
    DjangoGroup.objects.get(name="Auditor").permissions.remove(right)
    events = [line for line in lines_of(matrix.PAGES) if line.asked == "admin/groups/event/"]
    assert ask_pages(Asker(world, "Auditor"), events, known) == [
        "GET admin/groups/event/: ok is written, 403 was answered"
    ]
