"""Tokens for tests: made by the real service, returned with their plaintext."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from missionsite.common.models import ApiToken
from missionsite.common.scopes import all_scopes
from missionsite.common.tokens import create_token


def make_token(owner, *scopes: str, days: int = 30, name: str = "test", **more) -> tuple[ApiToken, str]:
    """A token with these scopes; with every scope when none is named."""
    return create_token(
        actor=owner,
        owner=owner,
        name=name,
        scopes=scopes or all_scopes(),
        expires_at=timezone.now() + timedelta(days=days),
        **more,
    )


def api_client(owner, *scopes: str, **more) -> Client:
    """A client that sends a token of this member with every request, and gets a 500 instead of an exception."""
    _, plaintext = make_token(owner, *scopes, **more)
    return Client(headers={"Authorization": f"Bearer {plaintext}"}, raise_request_exception=False)
