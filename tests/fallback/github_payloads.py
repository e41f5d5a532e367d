"""Deliveries of GitHub's webhook, with the documented fields that the site reads, and the server that it fetches from.

Source: GitHub documentation, "Webhook events and payloads" and "REST API endpoints for pull requests".
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from itertools import count
from urllib.parse import urlencode

from fallback.models import GithubCheckRun, GithubPrComment, GithubPrReview, GithubPullRequest

SECRET = "a secret of the webhook"
NAME = "acme/site"
SHA = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
_deliveries = count(1)


def branch(mission) -> str:
    return f"mission/{mission.pk.lower()}"


def stored() -> dict[str, int]:
    kinds = (GithubPullRequest, GithubPrReview, GithubPrComment, GithubCheckRun)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def pull(number: int = 7, branch: str = "changes", *, at: int = 0, **fields) -> dict:
    """A pull request. at: minutes after its creation, of its last change."""
    return {
        "id": 1000 + number,
        "number": number,
        "state": "open",
        "title": "Update the guide",
        "body": "A simple change.",
        "draft": False,
        "user": {"login": "octocat", "id": 1},
        "created_at": "2026-05-15T15:00:00Z",
        "updated_at": f"2026-05-15T15:{at:02}:00Z",
        "merged_at": None,
        "head": {"ref": branch, "sha": SHA},
        "base": {"ref": "main"},
    } | fields


def merged(number: int = 7, branch: str = "changes", *, at: int = 30, **fields) -> dict:
    when = f"2026-05-15T15:{at:02}:00Z"
    return pull(number, branch, at=at, state="closed", merged_at=when, merged=True, **fields)


def review(key: int = 80, state: str = "approved", **fields) -> dict:
    return {
        "id": key,
        "user": {"login": "hubot", "id": 2},
        "body": "Looks good",
        "state": state,
        "submitted_at": "2026-05-15T15:20:38Z",
    } | fields


def comment(key: int = 90, body: str = "Why?", *, at: int = 21, **fields) -> dict:
    return {
        "id": key,
        "user": {"login": "hubot", "id": 2},
        "body": body,
        "created_at": "2026-05-15T15:20:21Z",
        "updated_at": f"2026-05-15T15:{at:02}:00Z",
    } | fields


def check(key: int = 70, status: str = "completed", conclusion: str | None = "success", **fields) -> dict:
    return {
        "id": key,
        "name": "tests",
        "head_sha": SHA,
        "status": status,
        "conclusion": conclusion,
        "html_url": f"https://github.com/{NAME}/runs/{key}",
        "started_at": "2026-05-15T15:21:00Z",
        "completed_at": "2026-05-15T15:22:00Z" if status == "completed" else None,
        "pull_requests": [{"number": 7}],
    } | fields


def payload(action: str, **parts) -> dict:
    return {"action": action, **parts, "repository": {"full_name": NAME}, "sender": {"login": "octocat"}}


def deliver(
    client,
    event: str,
    body: dict | bytes,
    *,
    delivery: str = "",
    signature: str | None = None,
    secret: str = SECRET,
    to: str = "/github/webhook/",
    content_type: str = "application/json",
    **headers,
):
    """Send a delivery, signed as GitHub does. to: the address of the webhook. content_type: of JSON or a form."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not isinstance(body, bytes) and content_type != "application/json":
        raw = urlencode({"payload": raw}).encode()
    sign = "sha256=" + hmac.new(secret.encode(), raw, sha256).hexdigest() if signature is None else signature
    return client.post(
        to,
        raw,
        content_type=content_type,
        headers={
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or f"72d3162e-{next(_deliveries)}",
            "X-Hub-Signature-256": sign,
            **headers,
        },
    )
