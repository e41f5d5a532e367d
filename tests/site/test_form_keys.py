"""Every form of the back office that creates something takes effect once."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.urls import Resolver404, resolve

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from tests.site import matrix
from tests.site.routes import routes
from tests.site.test_permission_matrix import lines_of
from tests.site.world import PASSING, World, address, body_of, query_of, undone

pytestmark = pytest.mark.django_db

# Forms without a key, by the name of their URL, and why a second submission is harmless.
WITHOUT_KEY = {
    "logout": "ends the session",
    "language": "sets a cookie",
    "login": "starts a session",
    "password_change": "the second one finds the old password changed",
    "changelist": "opens the page of an action, whose form has a key",
    "change": "writes the same values again",
    "revert": "takes back a change that is taken back",
    "feeds": "takes a feed back that is taken back",
    "fallback_mission_position": "puts a card where it is",
    "fallback_mission_ready_now": "says what is so",
    "fallback_item_accept": "a proposal is decided once: a trigger and its state see to it",
    "fallback_item_discard": "a proposal is decided once",
    "fallback_item_duplicate": "a proposal is decided once",
    "fallback_item_snooze": "puts it off to the same time",
    "fallback_item_unsnooze": "it waits again already",
    "fallback_item_undo": "a decision is taken back once",
    "fallback_review_accept": "each proposal is decided once",
    "fallback_review_discard": "each proposal is decided once",
    "fallback_board": "shows the page: its buttons send its forms to fallback_mission_ready_now and _position",
    "fallback_review": "shows the page: its buttons send its form to fallback_item_accept and the like",
    "save_view": "replaces the view of this name with the same filters",
    "delete_view": "it is deleted already",
    "fallback_access_decide": "a request is decided once",
    "fallback_absence_end": "it has ended already",
    "fallback_unstar": "the star is gone",
    "fallback_inbox_read": "they are read already",
    "fallback_mission_document": "saves the version after the one that was edited, once",
    "fallback_document_remove": "it is removed already",
    "fallback_comment_edit": "writes the same text again",
    "fallback_comment_remove": "it is removed already",
    "fallback_inbox_snooze": "puts it off to the same time",
    "groups_member_remove_note": "the note is gone",
    "groups_communitymember_remove_note": "the note is gone",
    "groups_mission_remove_note": "the note is gone",
    "groups_colony_remove_note": "the note is gone",
    "engagement_preview": "shows a text",
    "engagement_try_phrase": "shows how a text is read, and stores nothing",
    "missiondeck_workspace": "each of its buttons sends it to missiondeck_workspace_tick",
    "missiondeck_workspace_status": "it is there already",
    "missiondeck_workspace_template": "adds only the items that the mission does not have",
    "missiondeck_workspace_tick": "says what is so",
    "missiondeck_workspace_edit": "writes the same values again",
    "missiondeck_workspace_position": "moves an item once more, which creates nothing",
    "missiondeck_workspace_remove": "the item is gone",
    "missiondeck_workspace_finish": "the run has ended",
    "missiondeck_workspace_give_up": "the run has ended",
    "missiondeck_workspace_gate": "writes the same rules again",
    "missiondeck_workspace_remove_evidence": "the evidence is gone",
    "missiondeck_workspace_sign": "it is signed already",
    "client": "the same comment at once is one comment, and a code signs once",
    "missiondeck_workspace_test_owner": "writes the same owner again",
    "missiondeck_workspace_quarantine": "is in quarantine for the same time again",
    "missiondeck_workspace_lift_quarantine": "the quarantine has ended",
}
# Forms the search has to find, so a page that loses its form is detected.
CREATING = {
    "engagement_compose",
    "groups_communityinvitation_many",
    "groups_communitymember_import",
    "missiondeck_feeds",
    "missiondeck_workspace_clients",
    "missiondeck_workspace_webhooks",
    "missiondeck_workspace_budget",
    "missiondeck_workspace_add_message",
    "missiondeck_workspace_import",
    "missiondeck_workspace_start",
    "missiondeck_workspace_add",
    "fallback_run_now",
    "fallback_template_launch_now",
    "common_apitoken_add",
    "missionsite_role_add",
}

# Queries that make a page show more forms.
MORE = {"missiondeck_workspace": [{"citizen": "sofia"}]}


@dataclass
class Form:
    """A form that is sent by POST. targets: the URLs its buttons send it to."""

    targets: set[str]
    names: dict[str, str]

    @property
    def key(self) -> str:
        return self.names.get(FORM_KEY_FIELD, "")


class Forms(HTMLParser):
    """Parses the forms of a page with their inputs."""

    def __init__(self, page: str, here: str) -> None:
        super().__init__()
        self.here, self.found, self.by_id, self.open = here, [], {}, None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        if tag == "form":
            self.open = None
            if (given.get("method") or "").lower() == "post":
                self.open = Form({given.get("action") or self.here}, {})
                self.found.append(self.open)
                if given.get("id"):
                    self.by_id[given["id"]] = self.open
        elif tag == "input" and self.open and given.get("name"):
            self.open.names[given["name"]] = given.get("value") or ""
        elif tag == "button" and given.get("formaction"):
            form = self.by_id.get(given["form"]) if given.get("form") else self.open
            if form:
                form.targets.add(given["formaction"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None


def name_of(target: str) -> str:
    try:
        return resolve(target.partition("?")[0].partition("#")[0]).url_name or ""
    except Resolver404:
        return target


@pytest.fixture(scope="module")
def pages() -> dict[str, list]:
    """Return every URL of the back office with its variants, from the matrix, which covers the URL resolver."""
    known = {route.template: route for route in routes()}
    lines = [line for line in lines_of(matrix.PAGES) if line.template.startswith("admin/")]
    return [(known[line.template], line.variant) for line in lines]


@pytest.fixture(scope="module")
def forms(built: World, pages, django_db_blocker) -> list[Form]:
    """Return every form of every page that is sent by POST."""
    found = []
    with django_db_blocker.unblock():
        client = built.client("superuser")
        for route, variant in pages:
            if "event" in route.template.rsplit("/", 2)[-2]:
                # A stream or a file has no forms.
                continue
            target = address(built, route, "superuser", variant)
            for query in (query_of(built, route), *MORE.get(route.name, ())):
                here = f"?{urlencode(query)}" if query else ""
                with undone():
                    answer = client.get(target + here)
                    if not answer.streaming and answer.status_code == 200 and "html" in answer["Content-Type"]:
                        found += Forms(answer.content.decode(), target + here).found
    return found


@pytest.fixture(scope="module")
def creating(forms) -> dict[str, str]:
    """Return the targets of forms with a key, by the name of the URL."""
    targets = {name_of(target): target for form in forms if form.key for target in form.targets}
    # A bulk edit shows a preview first; tests/common/test_bulk_edits.py saves one without a key.
    return {
        name: target for name, target in targets.items() if name not in WITHOUT_KEY and not name.endswith("_bulk_edit")
    }


def needs_key(form: Form) -> bool:
    """Return whether a form needs a key: unless all its targets are listed above."""
    if form.names.keys() & {"revoke", "resend", "remove"}:
        return False
    for target in form.targets:
        name = name_of(target)
        end = name.rsplit("_", 1)[-1]
        if (end if end in ("changelist", "change", "revert") else name) not in WITHOUT_KEY:
            return True
    return False


def written() -> dict[str, int]:
    """Return how many rows this transaction has written to each table, including rolled-back ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return {name: rows for name, rows in cursor.fetchall() if rows and not name.startswith(PASSING)}


def has_errors(answer) -> bool:
    shown = answer.context or {}
    return bool(shown.get("errors") or ("form" in shown and shown["form"].errors))


def rewound(body: dict) -> dict:
    for value in body.values():
        if hasattr(value, "seek"):
            value.seek(0)
    return body


def test_each_form_has_key_or_reason(forms):
    missing = {name_of(target) for form in forms if needs_key(form) and not form.key for target in form.targets}
    assert not missing, "Put {% form_key %} into these forms and `once` into their views, or say why not."


def test_creating_pages_have_forms_with_keys(creating):
    assert CREATING - set(creating) == set()
    assert len(creating) > 60


def test_each_rendering_has_new_key(world, forms):
    keys = [form.key for form in forms if form.key]
    assert len(keys) == len(set(keys))
    client = world.client("superuser")
    shown = [Forms(client.get("/admin/groups/task/add/").content.decode(), "").found for _ in range(2)]
    assert len({form.key for page in shown for form in page if form.key}) == 2


def test_form_sent_twice_takes_effect_once(world, creating, pages):
    by_name = {route.name: route for route, _ in pages}
    client = world.client("superuser")
    effective, wrong = set(), []
    for name, target in creating.items():
        body = {**body_of(world, by_name[name]), FORM_KEY_FIELD: new_form_key()}
        with undone():
            before = written()
            first = client.post(target, rewound(body))
            after = written()
            if after == before or has_errors(first):
                continue
            effective.add(name)
            second = client.post(target, rewound(body))
            if written() != after:
                wrong.append(f"{name}: happened twice")
            elif second.status_code != 302:
                wrong.append(f"{name}: {second.status_code}")
            elif first.status_code == 302 and first["Location"] != second["Location"]:
                wrong.append(f"{name}: {first['Location']} and then {second['Location']}")
    assert not wrong
    assert CREATING - effective == set()
    assert len(effective) > 50


def test_form_without_key_has_no_effect(world, creating, pages):
    by_name = {route.name: route for route, _ in pages}
    client = world.client("superuser")
    wrong = []
    for name, target in creating.items():
        with undone():
            before = written()
            answer = client.post(target, {**body_of(world, by_name[name]), FORM_KEY_FIELD: ""}, follow=True)
            if written() != before:
                wrong.append(f"{name}: wrote something")
            elif "Nothing was saved: this page" not in answer.content.decode():
                wrong.append(f"{name}: does not say why")
    assert not wrong
