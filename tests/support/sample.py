"""Samples of the largest tests: a different share each day, or everything with MISSIONSITE_ASK_ALL=1.

The number of the share is printed at the start of a run: MISSIONSITE_TURN=<number> repeats it.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime


def asks_all() -> bool:
    """Whether this run asks everything: MISSIONSITE_ASK_ALL=1, which `bin/test --long` sets."""
    return os.environ.get("MISSIONSITE_ASK_ALL", "") not in ("", "0")


def examples(number: int) -> int:
    """How many examples of Hypothesis a test runs: this number with --long, a sixth of it in a build."""
    return number if asks_all() else max(3, number // 6)


def turn() -> int:
    """Today's number. Stored in the environment, so that all test processes use the same one past midnight."""
    return int(os.environ.setdefault("MISSIONSITE_TURN", str(datetime.now(UTC).toordinal())))


def whose_turn(position: int, *, of: int, shift: int = 0) -> bool:
    """Whether the item at this position is in today's share: one in `of`, each within `of` days."""
    return asks_all() or (position + shift + turn()) % of == 0


def share(everything: Iterable, *, of: int, shift: int = 0) -> list:
    """Today's share of a list. shift: gives tests that share a list different items."""
    return [each for position, each in enumerate(everything) if whose_turn(position, of=of, shift=shift)]
