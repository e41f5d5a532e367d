"""The GitHub client: profiles, names, codes, pages, redirects and logs, over real connections to a local server."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest
from django.conf import settings as site

from groups.github import (
    GitHubError,
    GitHubNameInvalid,
    GitHubNotAPerson,
    GitHubRejected,
    GitHubUnavailable,
    GitHubUserUnknown,
    fetch_profile,
    profile,
)
from tests.groups.github_requests import TOKEN, WORD, rejection, soon
from tests.support.github_server import (
    failing,
    found,
    github,
    moved,
    raw,
    reply,
    resetting,
    unauthorized,
    unprocessable,
)

# --- Profile ----------------------------------------------------------------------------------


def test_profile_contains_four_figures(server):
    server.person("OctoCat", stars=[150, 50], public_repos=15, followers=50, commits=400, issues=60, pull_requests=40)
    before = datetime.now(UTC).replace(microsecond=0)
    found_profile = fetch_profile("octocat")
    fetched_at = datetime.fromisoformat(found_profile.data.pop("fetched_at"))
    assert before <= fetched_at <= datetime.now(UTC)
    assert found_profile.login == "OctoCat"
    assert found_profile.data == {
        "public_repos": 15,
        "followers": 50,
        "total_stars": 200,
        "contributions_last_year": 500,
        "html_url": "https://github.com/OctoCat",
        "created_at": "2011-01-25T18:44:36+00:00",
        "incomplete": [],
    }
    assert "example.org" not in repr(found_profile)
    with pytest.raises(FrozenInstanceError):
        found_profile.login = "someone-else"


def test_requests_sent_to_github(server):
    server.person("octocat", stars=[1])
    fetch_profile("octocat")
    since = f"{soon(-365 * 86400):%Y-%m-%d}"
    assert [(request.path, request.query) for request in server.requests] == [
        ("/users/octocat", {}),
        ("/users/octocat/repos", {"per_page": "100", "type": "owner"}),
        ("/search/commits", {"q": f"author:octocat author-date:>={since}", "per_page": "1"}),
        ("/search/issues", {"q": f"author:octocat created:>={since} is:issue", "per_page": "1"}),
        ("/search/issues", {"q": f"author:octocat created:>={since} is:pull-request", "per_page": "1"}),
    ]
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["Accept"] == "application/vnd.github+json"
        assert request.headers["X-GitHub-Api-Version"] == "2022-11-28"
        assert request.headers["User-Agent"] == "missionsite"


def test_no_authorization_header_without_token(server, settings):
    settings.GITHUB_TOKEN = ""
    server.person()
    fetch_profile("octocat")
    assert len(server.requests) == 5
    assert not any("Authorization" in request.headers for request in server.requests)


def test_api_url_with_path_is_used(server, settings):
    settings.GITHUB_API_URL = f"{server.url}/api/v3/"
    server.on("/api/v3/users/octocat", reply(server.person()))
    server.on("/api/v3/users/octocat/repos", reply([]))
    server.on("/api/v3/search/commits", reply(found(1)))
    server.on("/api/v3/search/issues", reply(found(2)))
    assert fetch_profile("octocat").data["contributions_last_year"] == 5
    assert all(request.path.startswith("/api/v3/") for request in server.requests)


@pytest.mark.parametrize("address", ["", "api.github.com", "ftp://api.github.com", "http://[", "https://"])
def test_invalid_api_url_is_unavailable(settings, address):
    settings.GITHUB_API_URL = address
    assert "GITHUB_API_URL" in rejection(GitHubUnavailable).message


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tökén"])
def test_invalid_token_is_rejected_and_not_sent(server, settings, token):
    settings.GITHUB_TOKEN = token
    rejected = rejection(GitHubRejected)
    assert "GITHUB_TOKEN" in rejected.message
    assert token not in rejected.message
    assert server.requests == []


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("", "-a", "a-", "a--b", "a" * 40, "..", "a/b", "../search", "a b", "a\\n", "ä", "a?x=1", "a#b", "a%2fb"),
        *("a.b", "dependabot[bot]", "a_b", "@a", "٣"),
    ],
)
def test_invalid_name_sends_no_request(server, name):
    with pytest.raises(GitHubNameInvalid):
        fetch_profile(name)
    assert server.requests == []


@pytest.mark.parametrize("name", ["a", "7", "a-b", "a-1-b", "A" * 39])
def test_valid_name_sends_request(server, name):
    rejection(GitHubUserUnknown, name if len(name) > 3 else "nobody")
    with pytest.raises(GitHubUserUnknown):
        fetch_profile(name)
    assert server.requests[-1].path == f"/users/{name}"


def test_unknown_name_takes_one_request(server):
    rejection(GitHubUserUnknown)
    assert server.counts() == {"/users/octocat": 1}


@pytest.mark.parametrize("kind", ["Organization", "Bot"])
def test_organisation_account_is_rejected(server, kind):
    server.person(type=kind)
    rejection(GitHubNotAPerson)
    assert server.counts() == {"/users/octocat": 1}


# --- Verification code ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["bio", "company", "blog", "location"])
def test_code_is_found_in_every_public_text(server, field):
    server.person(**{field: f"I write code. {WORD}"})
    assert fetch_profile("octocat", code=WORD).code_found


@pytest.mark.parametrize(
    ("bio", "stands"),
    [
        (WORD, True),
        (f"({WORD})", True),
        (f"{WORD}.", True),
        ("Missionsite-ABCDEFGHIJ", True),
        (f"🚀{WORD}\nRust, Go", True),
        (f"{WORD}k", False),
        (f"x{WORD}", False),
        ("missionsite-abcdefghi", False),
        ("missionsite abcdefghij", False),
        ("", False),
        (None, False),
    ],
)
def test_code_must_be_a_whole_word(server, bio, stands):
    server.person(bio=bio)
    assert fetch_profile("octocat", code=WORD).code_found is stands


def test_code_is_not_a_pattern(server):
    server.person(bio="anything at all")
    assert not fetch_profile("octocat", code=".*").code_found


@pytest.mark.parametrize("code", [None, ""])
def test_missing_code_is_never_found(server, code):
    server.person(bio="")
    assert not fetch_profile("octocat", code=code).code_found


def test_code_in_name_or_email_does_not_count(server):
    server.person(name=WORD, email=f"{WORD}@example.org", twitter_username=WORD)
    assert not fetch_profile("octocat", code=WORD).code_found


# --- Pages of repositories ---------------------------------------------------------------------


def test_stars_of_all_pages_are_summed(server):
    server.person(stars=list(range(250)))
    assert fetch_profile("octocat").data["total_stars"] == sum(range(250))
    pages = [request.query.get("page", "1") for request in server.requests if request.path.endswith("/repos")]
    assert pages == ["1", "2", "3"]


def test_too_many_pages_are_incomplete(server, monkeypatch):
    monkeypatch.setattr(profile, "MAX_PAGES", 2)
    server.person(stars=[1] * 201)
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (200, ["total_stars"])
    assert server.counts()["/users/octocat/repos"] == 2


def test_maximum_pages_are_complete(server, monkeypatch):
    monkeypatch.setattr(profile, "MAX_PAGES", 2)
    server.person(stars=[1] * 200)
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (200, [])


def test_repository_on_two_pages_is_counted_once(server):
    server.person()
    again = {"id": 2, "stargazers_count": 7}
    link = f'<{server.url}/user/1/repos?page=2>; rel="next", <{server.url}/user/1/repos?page=2>; rel="last"'
    server.on("/users/octocat/repos", reply([{"id": 1, "stargazers_count": 5}, again], Link=link))
    server.on("/user/1/repos", reply([again, {"id": 3, "stargazers_count": 1}]))
    assert fetch_profile("octocat").data["total_stars"] == 13


def test_circular_pages_end(server):
    server.person()
    link = f'<{server.url}/users/octocat/repos?page=1>; rel="next"'
    server.on("/users/octocat/repos", reply([{"id": 1, "stargazers_count": 5}], Link=link))
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (5, ["total_stars"])
    assert server.counts()["/users/octocat/repos"] == profile.MAX_PAGES


# --- Searches ----------------------------------------------------------------------------------


def test_unfinished_search_is_incomplete(server):
    server.person(issues=3, pull_requests=4)
    server.search("commits", "", "octocat", reply(found(20, is_whole=False)))
    data = fetch_profile("octocat").data
    assert (data["contributions_last_year"], data["incomplete"]) == (27, ["contributions_last_year"])


def test_hidden_activity_is_incomplete(server):
    server.person(issues=3, pull_requests=4)
    server.search("commits", "", "octocat", unprocessable("The listed users cannot be searched."))
    data = fetch_profile("octocat").data
    assert (data["contributions_last_year"], data["incomplete"]) == (7, ["contributions_last_year"])


# --- Redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("is_relative", [True, False])
def test_renamed_account_is_read_by_new_name(server, status, is_relative):
    server.person("NewName", stars=[3])
    server.on("/user/583231", server.answer("/users/NewName"))
    server.on("/users/octocat", moved("/user/583231" if is_relative else f"{server.url}/user/583231", status))
    found_profile = fetch_profile("octocat")
    assert (found_profile.login, found_profile.data["total_stars"]) == ("NewName", 3)
    assert server.counts()["/users/NewName/repos"] == 1


@pytest.mark.parametrize(
    "there",
    [
        "{other}/users/octocat",
        "//{host}/users/octocat",
        "{tls}/users/octocat",
        "http://[",
        "http://a:b/",
        "",
        "file:///etc/passwd",
        "https://github.com.example.org/",
    ],
)
def test_redirect_to_other_host_is_rejected(server, there):
    with github() as other:
        other.person()
        host = other.url.removeprefix("http://")
        server.on("/users/octocat", moved(there.format(other=other.url, host=host, tls=f"https://{host}")))
        rejection(GitHubUnavailable)
        assert other.requests == []
    assert len(server.requests) == 1


def test_next_page_on_other_host_is_rejected(server):
    with github() as other:
        server.person()
        server.on("/users/octocat/repos", reply([], Link=f'<{other.url}/users/octocat/repos?page=2>; rel="next"'))
        rejection(GitHubUnavailable)
        assert other.requests == []


def test_circular_redirects_end(server):
    server.on("/users/octocat", moved("/users/octocat"))
    rejection(GitHubUnavailable)
    assert server.counts() == {"/users/octocat": 4}


# --- Logging -------------------------------------------------------------------------------------


def test_debug_log_contains_no_names(server, caplog):
    caplog.set_level("DEBUG")
    server.person("octocat", stars=[1] * 101)
    fetch_profile("octocat", code=WORD)
    for answer in (resetting, failing(500), unauthorized, moved("http://127.0.0.1:9/octocat"), silent_headers):
        server.on("/users/octocat", answer)
        with pytest.raises(GitHubError):
            fetch_profile("octocat", code=WORD)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert not any(secret in said for secret in ("octocat", WORD, TOKEN))


silent_headers = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon octocat\r\n\r\n{}")


def test_library_log_contains_names(server, caplog, monkeypatch):
    """Negative control: the library logs the address."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="urllib3")
    server.person("octocat")
    fetch_profile("octocat")
    assert "octocat" in caplog.text


def run_python(code: str, **environment: str) -> None:
    subprocess.run(
        [sys.executable, "-c", code], cwd=site.BASE_DIR, check=True, env=os.environ | environment, timeout=60
    )


def test_import_does_not_load_django():
    run_python("import sys, groups.github; assert not [name for name in sys.modules if name.startswith('django')]")


def test_site_start_sends_no_request(server):
    # Everything a web process and a worker import, and the checks of the settings.
    own = site.DATABASES["default"]
    start = (
        "import django; django.setup(); "
        "import groups.tasks, groups.services.verification, missionsite.urls, missionsite.wsgi; "
        "from django.core.management import call_command; call_command('check')"
    )
    run_python(
        start,
        DJANGO_SETTINGS_MODULE="missionsite.settings",
        DATABASE_URL=f"postgres://{own['USER']}:x@127.0.0.1:9/none",
        SECRET_KEY="x" * 60,
        GITHUB_API_URL=server.url,
    )
    assert server.requests == []
