"""Links to commits and files in repositories on different hosts."""

import pytest

from missiondeck.selectors.repositories import commit_url, file_url
from missiondeck.services.runs import CiRun, import_report
from tests.missiondeck.helpers import report
from tests.missiondeck.workspace_helpers import address, make_mission
from tests.support.admin import page_text
from tests.support.factories.groups import MemberFactory

C = "c" * 40


@pytest.mark.parametrize(
    ("repository", "commit", "file"),
    [
        ("https://github.com/a/b", f"/commit/{C}", f"/blob/{C}/t/x%20y.py#L12"),
        ("https://github.example.org/a/b/", f"/commit/{C}", f"/blob/{C}/t/x%20y.py#L12"),
        ("https://gitlab.com/a/b/c", f"/-/commit/{C}", f"/-/blob/{C}/t/x%20y.py#L12"),
        ("https://gitlab.example.org:8443/a/b", f"/-/commit/{C}", f"/-/blob/{C}/t/x%20y.py#L12"),
        ("https://bitbucket.org/a/b", f"/commits/{C}", f"/src/{C}/t/x%20y.py#lines-12"),
        ("https://bitbucket.example.org/projects/A/repos/b", f"/commits/{C}", f"/browse/t/x%20y.py?at={C}#12"),
        ("https://codeberg.org/a/b", f"/commit/{C}", f"/src/commit/{C}/t/x%20y.py#L12"),
        ("https://my-forgejo.example.org/a/b", f"/commit/{C}", f"/src/commit/{C}/t/x%20y.py#L12"),
    ],
)
def test_urls_follow_the_host(repository, commit, file):
    base = repository.rstrip("/")
    assert commit_url(repository, C) == base + commit
    assert file_url(repository, C, "./t\\x y.py:12") == base + file


def test_setting_names_what_a_host_runs(settings):
    settings.DECK_FORGES = {"git.example.org": "gitlab"}
    assert commit_url("https://git.example.org:8443/a/b", C) == f"https://git.example.org:8443/a/b/-/commit/{C}"


def test_unknown_hosts_and_files_have_no_url():
    assert (
        commit_url("https://git.example.org/a/b", C)
        == commit_url("", C)
        == commit_url("https://github.com/a/b", "")
        == ""
    )
    for file in ("", "/etc/passwd", "../x.py", "a/../../x.py", "C:\\x.py", "a\nb", "javascript:alert(1)"):
        assert file_url("https://github.com/a/b", C, file) == ""


@pytest.mark.django_db
def test_commit_and_file_of_run_are_linked(lead):
    made = make_mission(github_url="https://gitlab.example.org/group/sub/bot")
    results = [{"name": "test_a", "status": "failed", "error": "No", "file": "tests/test_a.py"}]
    import_report(actor=MemberFactory(), mission=made, file=report(results), ci=CiRun(commit=C))
    page = page_text(lead.get(address(made), {"citizen": "sofia"}))
    base = "https://gitlab.example.org/group/sub/bot"
    assert f'href="{base}/-/commit/{C}"' in page
    assert f'href="{base}/-/blob/{C}/tests/test_a.py"' in page
    assert ">gitlab.example.org/group/sub/bot</a>" in page
