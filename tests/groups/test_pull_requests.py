"""Pull requests on GitHub: merged, not merged, reverted, and the answers of a local server."""

import pytest

from groups.github import GitHubUnavailable, GitHubUserUnknown, fetch_pull_request
from groups.github.pull_requests import reverted_by

MERGE, HEAD, REVERT, AGAIN = "a" * 40, "b" * 40, "c" * 40, "d" * 40
BASE = {"merged": True, "merge_commit_sha": MERGE, "merged_at": "2026-01-02T10:00:00Z", "base": {"ref": "main"}}


def serve(server, *messages: str, **fields) -> None:
    """Script a pull request, and the later commits with these messages, oldest first."""
    request = BASE | {"head": {"sha": HEAD}} | fields
    commits = [
        {"sha": sha, "commit": {"message": message}} for sha, message in zip((REVERT, AGAIN), messages, strict=False)
    ]
    server.on("/repos/acme/shop/pulls/7", lambda call: call.respond(request))
    server.on("/repos/acme/shop/commits", lambda call: call.respond(commits[::-1]))


def test_merged_request_has_its_head(server):
    serve(server)
    state = fetch_pull_request("acme/shop", 7)
    assert (state.is_merged, state.head, state.reverted_by) == (True, HEAD, "")
    assert server.requests[-1].query["sha"] == "main"
    assert server.requests[-1].query["since"] == BASE["merged_at"]


def test_request_that_is_closed_is_not_merged(server):
    # GitHub states a test merge for open requests.
    serve(server, merged=False)
    assert not fetch_pull_request("acme/shop", 7).is_merged


@pytest.mark.parametrize(
    "message",
    [
        f'Revert "Pay"\n\nThis reverts commit {MERGE}.',
        f'Revert "Pay"\n\nThis reverts commit {MERGE}, reversing\nchanges made to {AGAIN}.',
        f"Revert\n\nThis reverts commit {HEAD}.",
        'Revert "Pay" (#8)\n\nReverts acme/shop#7',
        "Revert\n\nReverts #7",
    ],
)
def test_revert_is_found(server, message):
    serve(server, message)
    assert fetch_pull_request("acme/shop", 7).reverted_by == REVERT
    serve(server, message, f"Again\n\nThis reverts commit {REVERT}.")
    assert fetch_pull_request("acme/shop", 7).reverted_by == ""


def test_other_reverts_are_no_revert():
    for message in ("This reverts commit 1234567.", "Reverts acme/other#7", "Reverts #77", "See #7"):
        assert reverted_by("acme/shop", 7, (MERGE, HEAD), [(REVERT, message)]) == ""


def test_unknown_request_and_odd_answers_are_errors(server):
    server.on("/repos/acme/shop/pulls/7", lambda call: call.respond({"message": "Not Found"}, status=404))
    with pytest.raises(GitHubUserUnknown):
        fetch_pull_request("acme/shop", 7)
    for odd in ([], {"head": 1}, {"head": {"sha": "x"}}, {"head": {"sha": HEAD}, "merged": True}):
        server.on("/repos/acme/shop/pulls/7", lambda call, odd=odd: call.respond(odd))
        with pytest.raises(GitHubUnavailable):
            fetch_pull_request("acme/shop", 7)
