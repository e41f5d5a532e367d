"""Invalid input to any URL never causes a 500 or a partial write, and the error is readable.

The addresses come from the URL resolver; a superuser sends it all, so that no rejection of rights hides a fault.
A build sends one of the six kinds of input to every fourth address; the rest follow on the next days. `bin/test --long`
sends all of them, and more of each; MISSIONSITE_FUZZ_EXAMPLES=200 makes that many requests for each address.
"""

import os
import re
from base64 import b64encode
from html import unescape
from itertools import count
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from missionsite.models import Role
from tests.site.routes import Route, bulk_actions, routes
from tests.site.world import (
    Watch,
    World,
    address,
    body_of,
    first_bytes,
    json_of,
    model_of,
    object_of,
    query_of,
    undone,
)
from tests.support.sample import share

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("MISSIONSITE_FUZZ_EXAMPLES", "4"))
# Four times the kinds of input. Each test sends its own to a share of the addresses, together to an eighth of them.
PARTS = 48 if EXAMPLES == 4 else 1
fuzzed = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

FORM = "application/x-www-form-urlencoded"
SECRET = "events:secret"
SIGNED_IN = f"Basic {b64encode(SECRET.encode()).decode()}"
BOUNDARY = "multipart/form-data; boundary=edge"
TEN_MEGABYTES = 10_000_000
AWKWARD = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ufffe\u202e",
    "-1",
    "0",
    "9" * 400,
    str(2**31),
    str(2**63),
    str(-(2**63) - 1),
    "1e400",
    "NaN",
    "0x10",
    "٣",
    "²",
    "00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-00000000000g",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "99999-12-31",
    "2026-02-30",
    "2026-11-21T25:61:61+99:99",
    "null",
    "[]",
    "' OR 1=1 --",
    "%",
    "\\",
    "../../etc/passwd",
    "//example.org/",
    "<script>alert(1)</script>",
    "🦉" * 300,
    "a" * 20_000,
]
# Bytes that are not UTF-8, a lone surrogate, a truncated sequence.
RAW = [b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f", b"\x00", b"\xc0\xaf"]
texts = st.one_of(st.sampled_from(AWKWARD), st.text(max_size=30))
raw_values = st.one_of(
    texts.map(lambda value: value.encode("utf-8", "surrogatepass")), st.sampled_from(RAW), st.binary(max_size=12)
)
# Query parameters of lists, pickers and pages, and similar names.
QUERY_NAMES = [
    "q",
    "p",
    "o",
    "e",
    "s",
    "next",
    "all",
    "page",
    "term",
    "extended",
    "app_label",
    "model_name",
    "field_name",
]
QUERY_NAMES += ["_popup", "_to_field", "_changelist_filters", "_facets", "pk__in", "id__exact", "password__startswith"]
QUERY_NAMES += ["project", "show", "list", "ready", "status", "run", "project__id__exact", "organization__id__exact"]
QUERY_NAMES += ["month", "assigned", "citizen", "search", "before", "runs", "log", "find", "edit", "due", "client"]
QUERY_NAMES += ["limit", "cursor", "eligible", "type", "role", "group", "member", "ot", "open_tasks"]


def pairs(names: list[str]):
    """Return names with values, some twice, as an encoded form or query."""
    name = st.one_of(st.sampled_from(names), texts) if names else texts
    pair = st.tuples(name.map(lambda text: text.encode("utf-8", "surrogatepass")), raw_values)
    return st.lists(pair, max_size=6).map(lambda rows: "&".join(f"{quote(key)}={quote(value)}" for key, value in rows))


def parts() -> st.SearchStrategy[str]:
    """Return an invalid value for an id in a URL."""
    return raw_values.map(lambda value: quote(value[:3000], safe="") or "x")


class Sender:
    """Sends requests as a superuser; checks every response and rolls back its changes."""

    def __init__(self, world: World) -> None:
        self.world, self.watch = world, Watch()
        self.browser, self.program = world.client("superuser"), world.token_client("superuser")
        self.sent = 0

    def send(self, route: Route, method: str, target: str, body: bytes = b"", content_type: str = FORM) -> HttpResponse:
        client = self.program if route.is_api else self.browser
        if content_type == FORM and not route.is_api:
            body += f"&{FORM_KEY_FIELD}={new_form_key()}".encode()
        cookies = client.cookies.copy()
        with undone():
            # A provider of e-mail authenticates, so that its events are read.
            headers = {"Authorization": SIGNED_IN} if target.startswith("/mail-") else {}
            answer = Client.generic(client, method, target, body, content_type, headers=headers)
            changed = self.watch.changed()
            shown = first_bytes(answer) if answer.streaming else answer.content
        client.cookies = cookies
        self.sent += 1
        request = f"{method} {target[:300]} {content_type} {body[:300]!r} -> {answer.status_code}"
        assert answer.status_code < 500, request
        if route.is_api and answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json", request
        if not route.is_api and answer.status_code >= 400 and method != "HEAD":
            assert_readable(answer, request)
        # A form that made something leads on to another page. Only a new token, the URL of a new feed and the URL of an
        # invitation are shown at once. An operation of the API without a body acts whatever it is sent, and so does the
        # POST that unsubscribes (RFC 8058).
        acts = route.is_api or (method == "POST" and target.startswith("/unsubscribe/"))
        shows_secret = any(part in shown for part in (b"ms_", b"/deck/feeds/", b"/join/", b"/client/"))
        # GitHub's secret has no form of its own.
        shows_secret = shows_secret or target.rstrip("/").endswith("/webhook-secret")
        if answer.status_code >= 400 or (answer.status_code == 200 and not acts and not shows_secret):
            assert not changed, f"{request}, and the database changed"
        return answer


def assert_readable(answer: HttpResponse, request: str) -> None:
    """Check that an error is a readable sentence, on a page of the site or in plain text."""
    text = answer.content.decode()
    words = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]+>", " ", text)
    assert len(words.split()) >= 5 or answer.status_code == 405, request
    assert "Traceback" not in text, request


@pytest.fixture
def sender(world, settings) -> Sender:
    settings.API_REQUESTS_PER_MINUTE = settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    # Without them these webhooks answer 503, whatever is sent.
    settings.ENGAGEMENT_MAIL_EVENTS_SECRETS = [SECRET]
    settings.FALLBACK_GITHUB_WEBHOOK_SECRETS = ["secret"]
    return Sender(world)


def field_names(route: Route, body: dict) -> list[str]:
    """Return field names of a route's form, by its model, and the parameters of lists."""
    names = {*body, "action", "_selected_action", "apply", "_save", "_continue", "next", "select_across", "index"}
    app, _, model = model_of(route).partition("/")
    for each in admin.site._registry:
        if (each._meta.app_label, each._meta.model_name) == (app, model):
            names |= {field.name for field in each._meta.get_fields()}
    return sorted(names)


@pytest.mark.seed("site bad input in the back office")
def test_urls_handle_invalid_parts(sender):
    """Ids, keys and numbers in the address that are none."""
    for route in share(routes(), of=PARTS):
        if route.parts:
            odd_parts(sender, route)
        else:
            odd_queries(sender, route)


def odd_parts(sender: Sender, route: Route) -> None:
    @fuzzed
    @given(st.data())
    def check(data):
        values = {part: data.draw(parts(), part) for part in route.parts}
        if "entry" in values and data.draw(st.booleans()):
            values["object_id"] = object_of(sender.world, route, "superuser").pk
            values["entry"] = data.draw(st.sampled_from([0, 2**31, 2**63, 2**70, 10**400]))
        sender.send(route, data.draw(st.sampled_from(["GET", "POST"])), route.fill(**values))

    check()


@pytest.mark.seed("site bad input in the back office")
def test_pages_handle_invalid_queries(sender):
    """Invalid filters, page numbers, orders and searches, on every page."""
    for route in share(routes(), of=PARTS, shift=1):
        odd_queries(sender, route)


def odd_queries(sender: Sender, route: Route) -> None:
    target, known = address(sender.world, route, "superuser"), urlencode(query_of(sender.world, route))

    @fuzzed
    @given(pairs(QUERY_NAMES))
    def check(query):
        sender.send(route, "GET", f"{target}?{known}&{query}")

    check()


LISTS = [route for route in routes() if route.name.endswith("_changelist")]
QUERIES = [
    *(f"p={value}" for value in ("0", "-1", "-99999", "999999999999999999999", "x", "%00", "1&p=2")),
    *(f"o={value}" for value in ("99", "-1.-2.-3", "1.1.1", "x", "9" * 40)),
    "q=%00",
    "q=%FF%FE",
    "e=1",
    "_facets=True",
    "all=",
    "_popup=1&_to_field=password",
    "member__password__startswith=a",
    "password__startswith=pbkdf2",
    "status__exact=gone&status__exact=active",
    "group__id__exact=1",
    "member__id__exact=%00",
    "trust_score_from=1e9&trust_score_to=" + "9" * 60,
    "joined_at_from=99999-99-99&left_at_to=0000-00-00",
    "occurred_at_from=0001-01-01&occurred_at_to=9999-12-31",
    "is_staff__exact=maybe",
    "role=999999999999999999999999",
    "min_trust_score_from=" + "9" * 30,
    "project__id__exact=%00",
    "project__id__exact=" + "9" * 400,
    "organization__id__exact=x&status__exact=%00",
    "list__exact=gone&priority__exact=" + "9" * 40,
    "ready__exact=maybe&enabled__exact=2",
    "started_at_from=0001-01-01&started_at_to=99999-01-01",
    "deadline_from=9999-12-31&deadline_to=0001-01-01&due=never&last_run=gone&assigned=no one&client=%00",
]


# Every list gets a third of these, another third than its neighbours: all lists are searched by the same code.
SEARCHES = [f"q={quote(value)}" for value in AWKWARD if "\x00" not in value]


def test_lists_handle_invalid_parameters(sender):
    for turn, route in enumerate(share(LISTS, of=PARTS, shift=1)):
        for query in (*QUERIES, *(SEARCHES if EXAMPLES > 4 else SEARCHES[turn % 3 :: 3])):
            sender.send(route, "GET", f"{address(sender.world, route, 'superuser')}?{query}")


@pytest.mark.parametrize(
    "query",
    ["password__startswith=pbkdf2", "member__password__startswith=p", "owner__password__startswith=p"],
)
def test_list_rejects_filters_on_passwords(sender, query):
    for route in LISTS:
        answer = sender.send(route, "GET", f"{address(sender.world, route, 'superuser')}?{query}")
        assert answer.status_code in (302, 400, 403, 404) or b"not understood" in answer.content, route.template


@pytest.mark.seed("site bad input in the back office")
def test_forms_handle_invalid_fields(sender):
    """Forms with fields that hold what no form would send, some missing, some twice, some no one asked for."""
    for route in share(routes(), of=PARTS, shift=2):
        odd_forms(sender, route)


def odd_forms(sender: Sender, route: Route) -> None:
    target, body = address(sender.world, route, "superuser"), body_of(sender.world, route)
    names = field_names(route, body)

    @fuzzed
    @given(st.data())
    def check(data):
        kept = {key: value for key, value in body.items() if data.draw(st.integers(0, 3), key)}
        sender.send(route, "POST", target, f"{urlencode(kept, doseq=True)}&{data.draw(pairs(names))}".encode())

    check()


@pytest.mark.seed("site bad input in the back office")
def test_fields_handle_invalid_values(sender):
    """Every field of every form in turn, the others valid; the page keeps the valid values.

    A build gives each field a few of the values, another few than the field before it; the long run all of them.
    """
    shown = ("reason", "role", "name", "title", "display_name", "email")
    turns = count()
    for route in share(routes(), of=PARTS, shift=3):
        target, body = address(sender.world, route, "superuser"), body_of(sender.world, route)
        if not body:
            odd_queries(sender, route)
        for name in body:
            values = AWKWARD if EXAMPLES > 4 else AWKWARD[next(turns) % 17 :: 17]
            for value in values:
                form = urlencode({**body, name: value}, doseq=True).encode()
                answer = sender.send(route, "POST", target, form)
                if answer.status_code == 200 and "admin/login" not in target:
                    page = unescape(answer.content.decode())
                    lost = [key for key in shown if key in body and key != name and body[key] not in page]
                    assert not lost, f"{target} forgot {lost} when {name} was {value[:40]!r}"


def test_forms_handle_invalid_bodies(sender):
    """Invalid multipart, invalid UTF-8, too many fields, ten megabytes, JSON instead of a form."""
    bodies = [
        (b"\xff\xfe=\xed\xa0\x80&name=%ED%A0%80&%00=%00", FORM),
        (b'--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\x00', BOUNDARY),
        (b'--edge\r\nContent-Disposition: form-data; name="name"; filename="\x00"\r\n\r\nx\r\n--edge--\r\n', BOUNDARY),
        (
            b"--edge\r\nContent-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: form-data; name="a"\r\n\r\n!!!\r\n--edge--',
            BOUNDARY,
        ),
        (b"garbage", BOUNDARY),
        (b"garbage", "multipart/form-data"),
        (b"garbage", "multipart/form-data; boundary=" + "e" * 300),
        ("&".join(f"f{n}=1" for n in range(2_100)).encode(), FORM),
        (b"name=" + b"x" * TEN_MEGABYTES, FORM),
        (
            b'--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
            + b"x" * TEN_MEGABYTES
            + b"\r\n--edge--\r\n",
            BOUNDARY,
        ),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"member": "\\ud800", "reason": "\\u0000"}', "application/json"),
        (b'{"reason": "' + b"x" * TEN_MEGABYTES + b'"}', "application/json"),
        (b'{"member": NaN, "member": 1e999}', "application/json"),
        (b"1" * 10_000, "application/json"),
        (b"a=1", "application/x-www-form-urlencoded; charset=no-such-charset"),
        (b"a=1", "\xff/\xff"),
    ]
    # Each address gets one of the huge ones in turn, and every third of the others: most of them end before any page.
    huge = [each for each in bodies if len(each[0]) > TEN_MEGABYTES]
    rest = [each for each in bodies if each not in huge]
    for turn, route in enumerate(share(routes(), of=PARTS, shift=4)):
        target = address(sender.world, route, "superuser")
        for body, content_type in (huge[turn % len(huge)], *rest[turn % 3 :: 3]):
            sender.send(route, "POST", target, body, content_type)


WITHOUT_FIELDS = ("missiondeck_feeds", "missiondeck_workspace_budget", "missiondeck_workspace_clients")
WITHOUT_FIELDS += ("missiondeck_workspace_webhooks", "engagement_try_phrase")


def test_form_without_fields_is_shown_again(sender):
    """Not taken for a form that was not sent."""
    forms = [route for route in routes() if route.name in WITHOUT_FIELDS]
    assert len(forms) == len(WITHOUT_FIELDS)
    for route in forms:
        target = address(sender.world, route, "superuser")
        assert sender.send(route, "POST", target, b"{}", "application/json").status_code == 200, target


FILES = [
    b"",
    b"<",
    b"\xff\xfe<\x00",
    b"{",
    b"a,b\n1",
    b'<!DOCTYPE a [<!ENTITY a "ha">]><testsuite name="&a;"/>',
    b'<testsuite><testcase name="\xff"/></testsuite>',
    b"\x00" * 5_000,
    b"\x1f\x8b\x08",
]
NAMED = [
    'filename="a.xml"',
    'filename=""',
    'filename="../../\u202e<script>.xml"',
    'filename="a\x00b"',
    "filename*=UTF-8''%ff%00",
    f'filename="{"a" * 3_000}"',
    "",
]


def test_uploads_handle_invalid_files(sender):
    """Uploads with files that are none of what is asked for, under names no one would give, cut off or twice."""
    for route in share(routes(), of=PARTS, shift=5):
        api_body = json_of(sender.world, route, "POST") if route.is_api else None
        body = api_body or body_of(sender.world, route)
        files = [name for name, value in body.items() if hasattr(value, "read")]
        if not files:
            odd_queries(sender, route)
        target = address(sender.world, route, "superuser")
        for turn, (file, named) in enumerate((file, named) for name in files for file in FILES for named in NAMED):
            field = files[turn % len(files)]
            disposition = f'Content-Disposition: form-data; name="{field}"; {named}'.rstrip("; ")
            one = b"--edge\r\n" + disposition.encode() + b"\r\n\r\n" + file + b"\r\n"
            for sent in (one + b"--edge--\r\n", one + one + b"--edge--\r\n", one[: len(one) - turn % 9]):
                sender.send(route, "POST", target, sent, BOUNDARY)


def test_actions_handle_invalid_rows(sender, rf):
    """Every action, and unknown ones, on missing, foreign, invalid or too many rows."""
    request = rf.get("/admin/")
    request.user = sender.world.staff["superuser"]
    known = bulk_actions(request)
    rows = [[], ["x"], ["\x00"], [str(2**70)], ["00000000-0000-0000-0000-000000000000"] * 3, ["1"] * 1_500]
    for route in share(LISTS, of=PARTS):
        model = model_of(route)
        actions = [
            *(action for each, action in sorted(known) if each == model),
            "delete_selected",
            "no_such",
            "\x00",
            "",
        ]
        for action in actions:
            for chosen in rows:
                body = {"action": action, "_selected_action": chosen, "apply": "1", "index": "9" * 30}
                sender.send(route, "POST", f"/{route.template}", urlencode(body, doseq=True).encode())


def test_error_page_shows_logged_request_id(world, monkeypatch):
    """The page of a 500 shows no details of the error."""
    monkeypatch.setattr("missionsite.common.admin.command_palette._pages", lambda request, term: 1 / 0)
    answer = world.client("superuser").get("/admin/search/?s=x")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert answer["X-Request-ID"] in page
    assert "Something went wrong" in page
    assert "ZeroDivision" not in page


def test_404_and_403_use_site_layout(world):
    missing = world.client("superuser").get("/nowhere")
    assert missing.status_code == 404
    assert "Page not found" in missing.content.decode()
    forbidden = world.client("Auditor").get("/admin/groups/mission/add/")
    assert forbidden.status_code == 403
    assert "Access denied" in forbidden.content.decode()
    unreadable = world.client("superuser").get("/admin/?q=%00")
    assert unreadable.status_code == 400
    assert "cannot be read" in unreadable.content.decode()


def test_page_rejects_unsupported_methods(world):
    answer = world.client("superuser").delete(f"/admin/groups/member/{world['member'].pk}/change/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")


def test_action_rejects_invalid_selection_with_message(world):
    body = {"action": "deactivate", "_selected_action": [str(world["member"].pk), "x"], "apply": "1"}
    answer = world.client("superuser").post("/admin/groups/member/", body, follow=True)
    assert "One of the selected rows is not in this list." in answer.content.decode()
    world["member"].refresh_from_db()
    assert world["member"].is_active


def test_job_list_rejects_unknown_state_with_message(world):
    answer = world.client("superuser").get("/admin/procrastinate/procrastinatejob/?status__exact=gone", follow=True)
    assert answer.status_code == 200
    assert "not understood" in answer.content.decode() or answer.redirect_chain


def test_failing_page_is_detected(sender, monkeypatch):
    """Negative control: a page that fails, or a GET that writes, does not pass."""
    search = next(route for route in routes() if route.name == "search")
    monkeypatch.setattr("missionsite.common.admin.command_palette._pages", lambda request, term: 1 / 0)
    with pytest.raises(AssertionError, match="-> 500"):
        sender.send(search, "GET", "/admin/search/?s=x")
    monkeypatch.setattr(
        "missionsite.common.admin.command_palette._pages", lambda request, term: [Role.objects.create(name="New")][:0]
    )
    with pytest.raises(AssertionError, match="the database changed"):
        sender.send(search, "GET", "/admin/search/?s=x")
