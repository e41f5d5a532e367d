"""Every response has a Content-Security-Policy: pages, errors, the API, files."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import RequestFactory

from missionsite.common.content_policy import HEADER, ContentPolicyMiddleware, digest, policy_for
from tests.support.admin import staff

pytestmark = pytest.mark.django_db
EVERYWHERE = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def parts(policy: str) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in policy.split("; "))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 302),
        ("/admin/", 302),
        ("/admin/login/", 200),
        ("/admin/nothing/", 302),
        ("/login/", 200),
        ("/join/", 200),
        ("/me/", 302),
        ("/unsubscribe/x/", 404),
        ("/api/docs", 200),
        ("/api/openapi.json", 200),
        ("/api/missions", 401),
        ("/nothing", 404),
        ("/nothing?x=%00", 400),
    ],
)
def test_every_response_has_policy(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    policy = parts(answer[HEADER])
    assert policy.items() >= EVERYWHERE.items()
    assert "'unsafe-inline'" not in policy.get("script-src", "")
    assert "'unsafe-eval'" not in answer[HEADER]


def test_middleware_errors_have_policy(client):
    assert client.delete("/admin/").status_code == 405
    assert HEADER in client.delete("/admin/").headers
    assert HEADER in client.delete("/api/missions").headers


def test_error_page_has_policy(client, monkeypatch):
    client.raise_request_exception = False
    client.force_login(staff("Administrator"))
    monkeypatch.setattr("missionsite.dashboard.add_dashboard", lambda request, context: 1 / 0)
    answer = client.get("/admin/")
    assert answer.status_code == 500
    assert parts(answer[HEADER]).items() >= EVERYWHERE.items()


def test_no_page_allows_eval_or_inline_scripts():
    assert parts(policy_for("/admin/groups/member/"))["script-src"] == "'self'"
    assert parts(policy_for("/admin/groups/member/"))["script-src-attr"] == "'none'"
    for path in ("/", "/admin", "/administration/", "/api/docs", "/api/missions", "/login/"):
        assert "script-src" not in policy_for(path)


def test_view_can_set_policy():
    own = ContentPolicyMiddleware(lambda request: HttpResponse(headers={HEADER: "default-src 'none'"}))
    assert own(RequestFactory().get("/admin/"))[HEADER] == "default-src 'none'"


def test_inline_styles_match_allowed_hashes(client):
    """The colors of the back office, the error page, and the styles this version of htmx inserts."""
    client.force_login(staff("Administrator"))
    pages = [client.get(address).content.decode() for address in ("/admin/", "/admin/groups/event/", "/nothing")]
    found = {digest(style) for page in pages for style in re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL)}
    assert len(found) == 2
    allowed = set(re.findall(r"'sha256-[^']+'", policy_for("/admin/")))
    assert found < allowed
    assert len(allowed) == 3
    assert 'version:"2.0.4"' in Path(finders.find("unfold/js/htmx/htmx.js")).read_text()
