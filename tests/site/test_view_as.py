"""View as: an administrator sees the site as another member, and nothing is written, whatever is asked for."""

import copy
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from groups.services.members import update_member
from missionsite.common.accounts import sessions, view_as
from missionsite.common.accounts.sessions import PRECISION, SEEN
from missionsite.common.accounts.view_as import VIEW_AS, VIEWER_ROLE, CannotViewAs, read_only, start_viewing
from missionsite.common.activity import member_acted
from missionsite.common.models import SecurityEvent
from missionsite.roles import ROLES
from tests.portal.helpers import entry
from tests.site import matrix, projects
from tests.site.routes import METHODS, routes
from tests.site.test_identity import age, rewound
from tests.site.test_permission_matrix import lines_of
from tests.site.world import Watch, address, body_of, first_bytes, query_of, undone
from tests.support.admin import client_of, page_text, staff
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.sample import asks_all, whose_turn

pytestmark = pytest.mark.django_db
REASON = {"reason": "They reported an error on this page"}
# Whose pages are asked for; each has other rights. A build asks as few, for a part of the pages.
BUILD = ("Administrator", "member")
LONG = ("superuser", *(role for role in ROLES if role not in BUILD), *projects.PROJECT_STAFF)
TARGETS = [*BUILD, *(pytest.param(each, marks=pytest.mark.long) for each in LONG)]
PARTS = 12


@pytest.fixture
def root():
    return StaffFactory(display_name="Root", is_superuser=True)


def viewing(actor, member) -> Client:
    """A browser in which the actor views the site as a member."""
    client = client_of(actor)
    answer = client.post(f"/admin/groups/member/{member.pk}/view-as/", REASON)
    assert (answer.status_code, VIEW_AS in client.session) == (302, True)
    return client


def types() -> list[str]:
    return list(SecurityEvent.objects.order_by("pk").values_list("type", flat=True))


def test_form_sent_twice_leads_to_its_page(root):
    member = MemberFactory()
    client = viewing(root, member)
    again = client.post(f"/admin/groups/member/{member.pk}/view-as/", REASON)
    assert (again.status_code, again["Location"]) == (302, "/me/")
    # Other forms stay closed, and viewing was started once.
    assert client.post(f"/admin/groups/member/{root.pk}/view-as/", REASON).status_code == 403
    assert types().count("viewing.started") == 1


# --- Nothing is written -----------------------------------------------------------------------


def requests_of(world, actor: str):
    """Yield method, address, values and query of each page of the matrix; in a build, of those whose turn it is."""
    known = {route.template: route for route in routes()}
    for number, line in enumerate(lines_of(matrix.PAGES)):
        if line.template.startswith(("view-as/", "logout/", "admin/logout/", "account/logout/")):
            continue
        if not (asks_all() or whose_turn(number, of=PARTS)):
            continue
        route = known[line.template]
        target, query = address(world, route, actor, line.variant), query_of(world, route)
        for method in METHODS if asks_all() else ("GET", "POST"):
            yield method, target, body_of(world, route) if method == "POST" else {}, query


def writes(world, client, actor: str) -> tuple[list[str], int]:
    """Send the requests; return those that wrote to a table of the site, and the number of all."""
    watch, found, number = Watch(), [], 0
    for method, target, values, query in requests_of(world, actor):
        cookies = copy.copy(client.cookies)
        with undone():
            if method == "POST":
                answer = client.post(target, rewound(values), query_params=query)
            else:
                answer = client.generic(method, target, query_params=query)
            if answer.streaming:
                first_bytes(answer)
            # 503: what a program gets from a database that takes no changes.
            assert answer.status_code < 500 or answer.status_code == 503, (method, target)
            if watch.wrote():
                found.append(f"{method} {target}")
        client.cookies, number = cookies, number + 1
    return found, number


@pytest.mark.parametrize("actor", TARGETS)
def test_no_page_writes_while_viewing(world, root, actor):
    """Also without the check of the method: the database rejects each write."""
    with pytest.MonkeyPatch.context() as patch:
        # The visit of the one who is logged in is recorded each minute: see test_visit_is_of_who_is_logged_in.
        patch.setattr(sessions, "PRECISION", 24 * 3600)
        if actor == "Administrator":
            patch.setattr(view_as, "SAFE_METHODS", METHODS)
            patch.setattr(view_as, "CLOSED", ("/nowhere/",))
        found, number = writes(world, viewing(root, world.staff[actor]), actor)
    assert found == []
    assert number > 30


def test_visit_is_of_who_is_logged_in(root):
    member = entry(person=MemberFactory()).person
    client = viewing(root, member)
    session = client.session
    session[SEEN] -= 2 * PRECISION
    session.save()
    seen = []

    def note(signal, **fields) -> None:
        seen.extend(fields["seen"])

    member_acted.connect(note)
    try:
        assert client.get("/me/").status_code == 200
    finally:
        member_acted.disconnect(note)
    assert seen == [root.pk]


def test_the_same_requests_write_without_viewing(world):
    found, _number = writes(world, world.client("Administrator"), "Administrator")
    assert len(found) > 3


def rejection_of(statement: str, block) -> str:
    """Return the error of the database; empty if it ran."""
    try:
        with block, connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error)
    return ""


def test_database_rejects_writes_of_viewer(root):
    statements = [
        "UPDATE members SET display_name = 'x'",
        "INSERT INTO security_events (type) VALUES ('x')",
        "DELETE FROM django_session",
        "CREATE TABLE mine (id int)",
        "SELECT nextval('community_member_number')",
        "SET TRANSACTION READ WRITE",
        "SET transaction_read_only = off",
    ]
    for statement in statements:
        assert rejection_of(statement, read_only()), statement
    # The role alone, in a transaction that may write; then the read-only transaction alone, as the role of the site.
    for statement in statements[:3]:
        assert "permission denied" in rejection_of(f"SET LOCAL ROLE {VIEWER_ROLE}; {statement}", transaction.atomic())
    assert "read-only" in rejection_of(f"RESET ROLE; {statements[0]}", read_only())
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("missionsite_app", "off")
        # Negative control.
        cursor.execute(statements[0])


def test_viewer_reads_what_site_reads():
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, has_table_privilege('missionsite_viewer', oid, 'SELECT'),
                      has_table_privilege('missionsite_viewer', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
               FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
                   AND has_table_privilege('missionsite_app', oid, 'SELECT')"""
        )
        assert {row[1:] for row in cursor.fetchall()} == {(True, False)}


# --- What is seen -----------------------------------------------------------------------------


def test_pages_are_those_of_the_member_with_banner(root):
    auditor = staff("Auditor", display_name="Ana Auditor")
    client = viewing(root, auditor)
    for page in ("/admin/", "/admin/groups/member/", f"/admin/groups/member/{root.pk}/change/"):
        text = page_text(client.get(page))
        assert f"You are viewing the site as Ana Auditor ({auditor.member_id})" in text, page
    # An auditor adds no one; the error page has the banner too.
    denied = client.get("/admin/groups/member/add/")
    assert denied.status_code == 403
    assert "You are viewing the site as Ana Auditor" in page_text(denied)
    assert "You are viewing" in page_text(client.get("/nowhere/"))
    # Who was denied access is the one who is logged in.
    assert SecurityEvent.objects.filter(type="access.denied").latest("pk").actor == root
    client.post("/view-as/stop/")
    assert "You are viewing" not in page_text(client.get("/admin/"))
    assert client.get("/admin/groups/member/add/").status_code == 200


def test_members_pages_have_banner(root):
    member = entry(person=MemberFactory(display_name="Ana"), name="Ana").person
    client = viewing(root, member)
    assert "You are viewing the site as Ana" in page_text(client.get("/me/"))
    # A member who is not staff sees no back office.
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/directory/").status_code == 200


@pytest.mark.parametrize(
    "closed", ["/account/email/", "/account/2fa/", "/account/sessions/", "/me/password/", "/admin/common/apitoken/"]
)
def test_pages_of_account_are_closed(root, closed):
    answer = viewing(root, staff("Administrator")).get(closed)
    assert answer.status_code == 403
    assert "Not available while viewing as another member" in page_text(answer)


def test_pages_that_ask_for_identity_are_closed(root):
    client = viewing(root, StaffFactory(is_superuser=True))
    for page in ("/admin/missionsite/role/add/", "/admin/groups/communitymember/export/"):
        assert client.get(page).status_code == 403, page


def test_post_is_rejected_without_reaching_the_page(root):
    member = MemberFactory(display_name="Bob")
    client = viewing(root, staff("Administrator"))
    values = {"display_name": "Eve", "email": member.email, "trust_score": "0"}
    assert client.post(f"/admin/groups/member/{member.pk}/change/", values).status_code == 403
    # No nesting either.
    assert client.post(f"/admin/groups/member/{member.pk}/view-as/", REASON).status_code == 403
    member.refresh_from_db()
    assert member.display_name == "Bob"


# --- Beginning and end ------------------------------------------------------------------------


def test_start_and_stop_are_recorded_with_reason(root):
    member = MemberFactory()
    client = viewing(root, member)
    client.post("/view-as/stop/")
    rows = SecurityEvent.objects.filter(type__startswith="viewing").order_by("pk")
    assert list(rows.values_list("type", "actor", "member", "payload")) == [
        ("viewing.started", root.pk, member.pk, REASON),
        ("viewing.ended", root.pk, member.pk, {"reason": "stop"}),
    ]


def test_it_ends_by_itself(root, monkeypatch):
    client = viewing(root, MemberFactory())
    later = timezone.now() + timedelta(minutes=31)
    monkeypatch.setattr(view_as.timezone, "now", lambda: later)
    text = page_text(client.get("/admin/"))
    assert "Viewing the site as another member has ended" in text
    assert "You are viewing" not in text
    assert SecurityEvent.objects.get(type="viewing.ended").payload == {"reason": "time"}


def test_log_out_ends_it(root):
    client = viewing(root, MemberFactory())
    client.post("/admin/logout/")
    assert types()[-2:] == ["viewing.ended", "session.ended"]
    assert client.get("/admin/").status_code == 302


def test_it_ends_when_rights_end(root):
    administrator, member = staff("Administrator"), MemberFactory()
    client = viewing(administrator, member)
    update_member(actor=root, member=member, is_superuser=True, is_staff=True)
    assert "You are viewing" not in page_text(client.get("/admin/"))
    assert SecurityEvent.objects.get(type="viewing.ended").payload == {"reason": "rights"}


def test_who_may_view_as_whom(root):
    administrator, manager, member = staff("Administrator"), staff("Community Manager"), MemberFactory()
    gone = MemberFactory(is_active=False)
    assert start_viewing(actor=administrator, member=staff("Administrator"), reason="x")
    assert start_viewing(actor=root, member=StaffFactory(is_superuser=True), reason="x")
    for actor, target in ((manager, member), (administrator, root), (root, root), (root, gone)):
        with pytest.raises(CannotViewAs):
            start_viewing(actor=actor, member=target, reason="x")
    with pytest.raises(CannotViewAs, match="The system is no person"):
        start_viewing(actor=root, member=type(root).objects.system(), reason="x")


def test_it_needs_reason_and_identity(root):
    member = MemberFactory()
    page, client = f"/admin/groups/member/{member.pk}/view-as/", client_of(root)
    assert client.post(page, {"reason": " "}).status_code == 200
    age(client)
    assert client.get(page)["Location"].startswith("/account/")
    assert client.post(page, REASON).status_code == 200
    assert VIEW_AS not in client.session


def test_without_role_of_database_it_does_not_start(root, monkeypatch):
    monkeypatch.setattr(view_as, "VIEWER_ROLE", "missionsite_nobody")
    with pytest.raises(CannotViewAs, match="no role for viewing"):
        start_viewing(actor=root, member=MemberFactory(), reason="x")


def test_live_page_is_closed(root, world):
    client = viewing(root, world.staff["superuser"])
    live = next(line for line in lines_of(matrix.PAGES) if "live" in line.answers[0])
    route = next(route for route in routes() if route.template == live.template)
    with undone():
        answer = client.get(address(world, route, "superuser", live.variant))
    assert answer.status_code == 403


def test_view_follows_session_not_browser(root):
    client = viewing(root, MemberFactory())
    assert "You are viewing" not in page_text(client_of(root).get("/admin/"))
    assert VIEW_AS in client.session
