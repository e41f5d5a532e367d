"""What is harmful in a session that was left open needs a recent proof of identity."""

import copy

import pytest
from django.contrib.auth.models import Group

from groups.models import Member
from missionsite.common.accounts.addresses import ensure_address
from missionsite.common.accounts.sessions import BEGAN
from missionsite.common.models import ApiToken, SecurityEvent
from tests.site import matrix
from tests.site.routes import routes
from tests.site.test_permission_matrix import action_of, expected, lines_of
from tests.site.world import NEW_PASSWORD, address, body_of, first_bytes, query_of, undone
from tests.support.admin import client_of, page_text
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
PASSWORD = "an old password of one's own"
# What the security log says of harmful operations. Creating a member and revoking a token give no one anything.
HARMFUL = {
    "data.exported",
    "directory.erased",
    "member.changed",
    "member.password_removed",
    "member.password_set",
    "member.roles_changed",
    "project.member_removed",
    "project.role_set",
    "role.changed",
    "role.created",
    "token.created",
    "viewing.started",
}
# The views that need a proof: GET leads to the page that asks, POST shows the form again.
ASK = {
    "admin/common/apitoken/add/",
    "admin/common/auditentry/export/",
    "admin/common/securityevent/export/",
    "admin/fallback/project/inbox/<request_id>/decide/",
    "admin/fallback/project/<object_id>/remove-member/",
    "admin/fallback/project/<object_id>/set-role/",
    "admin/groups/communitymember/<object_id>/erase/",
    "admin/groups/communitymember/export/",
    "admin/groups/member/<object_id>/change/",
    "admin/groups/membership/export/",
    "admin/groups/member/<object_id>/history/<entry>/revert/",
    "admin/groups/member/<object_id>/password/",
    "admin/groups/member/<object_id>/view-as/",
    "admin/missiondeck/deckmission/export/",
    "admin/missionsite/role/<object_id>/change/",
    "admin/missionsite/role/<object_id>/require-second-factor/",
    "admin/missionsite/role/add/",
}
# Views that do not ask, and why.
WITHOUT = {
    "admin/groups/member/<object_id>/activate/": "gives back what the account had; its sessions and tokens stay ended",
    "admin/groups/member/<object_id>/deactivate/": "takes access away, and must be quick",
    "admin/missiondeck/deckmission/<object_id>/transcript/<form>/": "the chats of one mission, as its page shows them",
    "admin/missiondeck/deckmission/<object_id>/workspace/report/": "the report on one mission, as its client sees it",
    "admin/password_change/": "asks for the old password itself",
    "me/password/": "asks for the old password itself",
    "groups/member activate": "as on the page of a member",
    "groups/member deactivate": "as on the page of a member",
}


def age(client) -> None:
    """Let the log-in of a client be a day ago."""
    session = client.session
    session[BEGAN] -= 24 * 3600
    session.save()


@pytest.fixture
def root():
    """With a confirmed address, as after a log-in."""
    member = StaffFactory(is_superuser=True, password=PASSWORD)
    ensure_address(member)
    return member


@pytest.fixture
def stale(root, settings):
    client = client_of(root)
    age(client)
    return client


def requests_of(world) -> dict[str, list]:
    """Return the requests of a superuser that change something or send a file, by route or action."""
    known = {route.template: route for route in routes()}
    found: dict[str, list] = {}
    for line in lines_of(matrix.PAGES):
        route = known[line.template]
        target, query = address(world, route, "superuser", line.variant), query_of(world, route)
        sent = expected(line.answers[1], "superuser")
        if sent in ("done", "file") or (sent == "to" and expected(line.answers[0], "superuser") == "ok"):
            found.setdefault(line.template, []).append(("post", target, body_of(world, route), query))
        elif expected(line.answers[0], "superuser") == "file":
            found.setdefault(line.template, []).append(("get", target, query, None))
    for line in lines_of(matrix.ACTIONS):
        model, action = line.asked.split()
        target, body = action_of(world, model, action, "superuser")
        found[f"{model} {action}"] = [("post", target, body, None)]
    return found


def rewound(body: dict) -> dict:
    for value in body.values():
        if hasattr(value, "seek"):
            value.seek(0)
    return body


def harmful(client, requests: list) -> set[str]:
    """Return the harmful events that these requests record."""
    found: set[str] = set()
    for method, target, values, query in requests:
        cookies = copy.copy(client.cookies)
        with undone():
            last = SecurityEvent.objects.order_by("pk").values_list("pk", flat=True).last() or 0
            if method == "get":
                answer = client.get(target, values)
            else:
                answer = client.post(target, rewound(values), query_params=query)
            if answer.streaming:
                first_bytes(answer)
            found |= set(SecurityEvent.objects.filter(pk__gt=last).values_list("type", flat=True)) & HARMFUL
        client.cookies = cookies
    return found


def test_each_harmful_view_asks_for_identity(world):
    """A new view that erases, gives roles, makes tokens or exports fails here until it asks, or has a reason."""
    fresh, stale = world.client("superuser"), world.client("superuser")
    age(stale)
    requests = {name: each for name, each in requests_of(world).items() if harmful(fresh, each)}
    assert set(requests) == ASK | set(WITHOUT), "A view is missing in ASK or WITHOUT, or is no longer harmful."
    assert {name for name, each in requests.items() if harmful(stale, each)} == set(WITHOUT)


def test_page_leads_to_proof_and_back(root, stale):
    asked = stale.get("/admin/common/apitoken/add/?next=/admin/")
    assert (
        asked["Location"] == "/account/reauthenticate/?next=%2Fadmin%2Fcommon%2Fapitoken%2Fadd%2F%3Fnext%3D%2Fadmin%2F"
    )
    assert "Confirm your identity" in page_text(stale.get(asked["Location"]))
    wrong = stale.post(asked["Location"], {"password": "wrong"})
    assert wrong.status_code == 200
    assert stale.get("/admin/common/apitoken/add/").status_code == 302
    back = stale.post(asked["Location"], {"password": PASSWORD})
    assert back["Location"] == "/admin/common/apitoken/add/?next=/admin/"
    assert stale.get(back["Location"]).status_code == 200
    types = SecurityEvent.objects.filter(member=root).order_by("pk").values_list("type", flat=True)
    assert list(types) == ["session.failed", "session.confirmed"]


@pytest.mark.rule("IdentityNotConfirmed")
def test_form_keeps_values_until_identity_is_confirmed(root, stale):
    member = MemberFactory(display_name="Bob", email="bob@example.org")
    role = Group.objects.get(name="Auditor")
    page = f"/admin/groups/member/{member.pk}/change/"
    values = {
        "display_name": "Robert",
        "email": member.email,
        "trust_score": "0",
        "is_staff": "on",
        "groups": [role.pk],
    }
    assert stale.get(page).status_code == 200
    text = stale.post(page, values).content.decode()
    assert 'value="Robert"' in text
    assert f'href="/account/reauthenticate/?next={page.replace("/", "%2F")}" target="_blank"' in text
    member.refresh_from_db()
    assert (member.display_name, member.is_staff, member.groups.count()) == ("Bob", False, 0)
    stale.post("/account/reauthenticate/", {"password": PASSWORD})
    assert stale.post(page, values).status_code == 302
    member.refresh_from_db()
    assert (member.display_name, member.is_staff, member.groups.get()) == ("Robert", True, role)


def test_edit_without_rights_needs_no_proof(stale):
    member = MemberFactory(display_name="Bob", email="bob@example.org")
    page = f"/admin/groups/member/{member.pk}/change/"
    assert stale.post(page, {"display_name": "Robert", "email": member.email, "trust_score": "0"}).status_code == 302
    values = {"display_name": "Eve", "email": "eve@example.org", "trust_score": "0", "is_staff": "on"}
    assert "Confirm your identity first" in page_text(stale.post("/admin/groups/member/add/", values))
    assert not Member.objects.filter(email="eve@example.org").exists()
    del values["is_staff"]
    assert stale.post("/admin/groups/member/add/", values).status_code == 302


def test_action_form_is_shown_again(stale):
    member = MemberFactory()
    page = f"/admin/groups/member/{member.pk}/password/"
    assert stale.get(page)["Location"].startswith("/account/reauthenticate/")
    values = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert "Confirm your identity first" in page_text(stale.post(page, values))
    member.refresh_from_db()
    assert not member.check_password(NEW_PASSWORD)


def test_export_returns_to_list_with_its_filters(stale):
    asked = stale.get("/admin/groups/communitymember/export/?status=active&format=xlsx")
    assert asked["Location"].endswith("next=%2Fadmin%2Fgroups%2Fcommunitymember%2F%3Fstatus%3Dactive")
    assert "choose the export there" in page_text(stale.get(asked["Location"]))


def test_account_without_password_logs_in_again(stale, root):
    root.set_unusable_password()
    root.save()
    stale.force_login(root)
    age(stale)
    asked = stale.get("/admin/common/apitoken/add/")
    assert asked["Location"] == "/account/log-in-again/?next=%2Fadmin%2Fcommon%2Fapitoken%2Fadd%2F"
    assert "Log out and log in again" in page_text(stale.get(asked["Location"]))
    out = stale.post("/account/log-in-again/", {"next": "/admin/common/apitoken/add/"})
    assert out["Location"] == "/login/?next=%2Fadmin%2Fcommon%2Fapitoken%2Fadd%2F"
    assert stale.get("/admin/").status_code == 302


def test_time_out_is_a_setting(stale, root, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 2 * 24 * 3600
    values = {"name": "A", "kind": "person", "scopes": ["missions:read"], "days": "7"}
    assert stale.post("/admin/common/apitoken/add/", values).status_code == 200
    assert ApiToken.objects.filter(owner=root).exists()
