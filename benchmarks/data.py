"""Generate a community for measuring: seeded, with a realistic skew, loaded by COPY.

Busy missions and busy members follow a Zipf distribution; joining dates spread over three years. The same seed and
sizes give the same rows.
"""

import bisect
import itertools
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

START = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 3 * 365
FIRST = [
    "Ana",
    "Bruno",
    "Carla",
    "Diego",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Keiko",
    "Lucas",
    "Mina",
    "Noor",
    "Olga",
    "Pedro",
    "Quinn",
    "Rosa",
    "Sven",
    "Tariq",
    "Uma",
    "Vera",
    "Wei",
    "Ximena",
    "Yara",
    "Zoe",
]
LAST = [
    "Almeida",
    "Barros",
    "Conti",
    "Dubois",
    "Engel",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Khan",
    "Lima",
    "Moreau",
    "Nakamura",
    "Osei",
    "Pereira",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Vogel",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
]
WORDS = ["Write", "Review", "Record", "Plan", "Design", "Host", "Translate", "Test", "Fix", "Prepare"]
THINGS = ["webinar", "article", "page", "workshop", "guide", "poster", "interview", "survey", "release", "newsletter"]


@dataclass(frozen=True)
class Sizes:
    """Number of rows per table."""

    members: int = 200_000
    missions: int = 1_000
    memberships: int = 1_000_000
    tasks: int = 100_000

    def scaled(self, factor: float) -> "Sizes":
        """Return sizes multiplied by a factor; at least 10 rows each."""
        return Sizes(*(max(10, round(size * factor)) for size in vars(self).values()))


def load(connection: psycopg.Connection, sizes: Sizes, *, seed: int = 1, progress=lambda text: None) -> None:
    """Fill an empty, migrated database and ANALYZE it. connection: of the schema's owner; committed at the end."""
    chance = random.Random(seed)
    colony = _id(chance)
    missions = [_id(chance) for _ in range(sizes.missions)]
    members = [_id(chance) for _ in range(sizes.members)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO groups (id, name, type, min_trust_score) VALUES (%s, 'The colony', 'colony', NULL)", [colony]
        )
        progress(f"{sizes.members:,} members")
        _copy(cursor, "members (id, email, display_name, trust_score, created_at)", _members(members, chance))
        progress(f"{sizes.missions:,} missions")
        _copy(
            cursor,
            "groups (id, name, type, parent_group_id, min_trust_score, created_at)",
            _missions(missions, colony, chance),
        )
        progress(f"{sizes.memberships:,} memberships")
        _copy(
            cursor,
            "memberships (id, member_id, group_id, role, joined_at, left_at, status)",
            _memberships(members, missions, sizes.memberships, chance),
        )
        progress(f"{sizes.tasks:,} tasks")
        _copy(
            cursor,
            "tasks (id, group_id, title, reward_points, state, claimed_by_id, created_at)",
            _tasks(members, missions, sizes.tasks, chance),
        )
    connection.commit()
    connection.autocommit = True
    progress("vacuum and analyze")
    for table in ("members", "groups", "memberships", "tasks", "mission_counters"):
        connection.execute(f"VACUUM (ANALYZE) {table}")


def zipf(size: int, chance: random.Random, exponent: float = 1.0) -> Iterator[int]:
    """Yield indices below `size` without end, the first ones far more often than the last."""
    steps = list(itertools.accumulate(1 / (rank**exponent) for rank in range(1, size + 1)))
    while True:
        yield min(bisect.bisect(steps, chance.random() * steps[-1]), size - 1)


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _datetime(chance: random.Random) -> datetime:
    return START + timedelta(days=chance.random() * DAYS)


def _copy(cursor: psycopg.Cursor, target: str, rows: Iterable[tuple]) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _members(ids: list[str], chance: random.Random) -> Iterator[tuple]:
    for number, key in enumerate(ids):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        email = f"{name.lower().replace(' ', '.')}.{number}@example.org"
        yield key, email, name, int(chance.paretovariate(1.2) * 20) % 2_000, _datetime(chance)


def _missions(ids: list[str], colony: str, chance: random.Random) -> Iterator[tuple]:
    for number, key in enumerate(ids):
        name = f"{chance.choice(WORDS)} the {chance.choice(THINGS)} {number}"
        yield key, name, "mission", colony, chance.choice((0, 0, 50, 100, 250, 500)), _datetime(chance)


def _memberships(members: list[str], missions: list[str], size: int, chance: random.Random) -> Iterator[tuple]:
    """Yield memberships: a fifth have ended; a member has at most one active membership per mission."""
    member_numbers, mission_numbers = zipf(len(members), chance, 0.6), zipf(len(missions), chance, 0.8)
    active: set[tuple[int, int]] = set()
    for _ in range(size):
        member, mission = next(member_numbers), next(mission_numbers)
        joined = _datetime(chance)
        ended = chance.random() < 0.2 or (member, mission) in active
        if not ended:
            active.add((member, mission))
        left = joined + timedelta(days=chance.random() * 200) if ended else None
        role = "Lead" if chance.random() < 0.02 else "Member"
        yield (
            _id(chance), members[member], missions[mission], role, joined, left, "left" if ended else "active",
        )  # fmt: skip


def _tasks(members: list[str], missions: list[str], size: int, chance: random.Random) -> Iterator[tuple]:
    mission_numbers = zipf(len(missions), chance, 0.8)
    for number in range(size):
        state = chance.choices(("open", "claimed", "done", "cancelled"), (5, 2, 10, 1))[0]
        doer = chance.choice(members) if state in ("claimed", "done") else None
        title = f"{chance.choice(WORDS)} the {chance.choice(THINGS)} {number}"
        yield (
            _id(chance),
            missions[next(mission_numbers)],
            title,
            chance.randrange(0, 50, 5),
            state,
            doer,
            _datetime(chance),
        )
