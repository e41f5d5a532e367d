"""Reads the fields of GitHub's objects, so that every value fits its column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fallback.models.choices import PullRequestState

# What reading an object without the documented fields raises.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
# GitHub's own name for accounts that no longer exist. A row with it was erased, and stays so.
GHOST = "ghost"
# Characters of a comment or review: more than GitHub accepts (65,536).
BODY_LENGTH = 100_000
# Of an integer and a bigint of PostgreSQL.
_LARGEST_NUMBER, _LARGEST_KEY = 2**31 - 1, 2**63 - 1
_COMMIT = re.compile(r"[0-9A-Fa-f]{4,64}")
# What PostgreSQL cannot store, and line breaks and other control characters.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")


def number(value: Any) -> int:
    """The number of a pull request. Raises ValueError for anything else."""
    return _whole(value, _LARGEST_NUMBER)


def key(value: Any) -> int:
    """The ID of an object. Raises ValueError for anything else."""
    return _whole(value, _LARGEST_KEY)


def moment(value: Any) -> datetime | None:
    """A time of GitHub, such as 2026-11-20T09:30:00Z; None for none. Raises ValueError for anything else."""
    if value is None:
        return None
    found = parse_datetime(str(value))
    if found is None or timezone.is_naive(found):
        raise ValueError("not a time")
    return found


def line(value: Any, longest: int) -> str:
    """A text of GitHub as one line that can be stored. Raises ValueError for anything but a text or null."""
    return _CONTROL.sub(" ", _storable(value))[:longest].strip()


def text(value: Any) -> str:
    """A text of GitHub that can be stored. Raises ValueError for anything but a text or null."""
    return _storable(value)[:BODY_LENGTH]


def commit(value: Any) -> str:
    """The hash of a commit, which becomes part of an address. Raises ValueError for anything else."""
    if not isinstance(value, str) or not _COMMIT.fullmatch(value):
        raise ValueError("not a commit")
    return value


def address(value: Any) -> str:
    """The address of a page; empty if it cannot be a link."""
    found = line(value, 501)
    return found if found.startswith(("https://", "http://")) and len(found) <= 500 else ""


def login(user: Any) -> str:
    """The name of an account; GitHub sends none for a deleted one."""
    return line(user.get("login"), 255) or GHOST if isinstance(user, Mapping) else GHOST


def state_of(data: Mapping[str, Any]) -> PullRequestState:
    if data.get("merged") or data.get("merged_at"):
        return PullRequestState.MERGED
    return PullRequestState.OPEN if data["state"] == "open" else PullRequestState.CLOSED


def _whole(value: Any, largest: int) -> int:
    # In Python, True is an int.
    if type(value) is not int or not 0 < value <= largest:
        raise ValueError("not a number")
    return value


def _storable(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError("not a text")
    return _UNSTORABLE.sub("\ufffd", value or "")
