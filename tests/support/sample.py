"""What one build asks of the largest tests: a share, and another one every day; all of it with MISSIONSITE_ASK_ALL=1.

The turn is printed at the head of a run: MISSIONSITE_TURN=<it> asks the same share again.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime

ALL = os.environ.get("MISSIONSITE_ASK_ALL", "") not in ("", "0")


def turn() -> int:
    """The number of today. Kept in the environment, so that every worker of a run has the same past midnight."""
    return int(os.environ.setdefault("MISSIONSITE_TURN", str(datetime.now(UTC).toordinal())))


def whose_turn(position: int, *, of: int, shift: int = 0) -> bool:
    """Whether what stands at this position is asked today: one in `of`, each within `of` days."""
    return ALL or (position + shift + turn()) % of == 0


def share(everything: Iterable, *, of: int, shift: int = 0) -> list:
    """Today's share of a list. shift: sets apart those who ask the same list, so that together they ask more of it."""
    return [each for position, each in enumerate(everything) if whose_turn(position, of=of, shift=shift)]
