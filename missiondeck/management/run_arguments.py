"""Arguments that the commands of test runs share."""

import glob
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from sys import stdin
from typing import Any

from django.core.management.base import CommandError

from missiondeck.models import DeckMission
from missiondeck.rules import MAX_SHARDS
from missiondeck.services.runs import CiRun

_NAMES = ("commit", "branch", "build_url", "job", "attempt", "environment", "started_at", "committed_at")


def add_ci_arguments(parser: ArgumentParser, *, is_part: bool = True) -> None:
    """Add what identifies a run of CI. is_part: with the number of a shard; otherwise with the number of shards."""
    run = parser.add_argument_group(
        "run of CI", "Reports with the same commit or build and the same other values are one run."
    )
    run.add_argument("--commit", default="", help="The full commit hash")
    run.add_argument("--branch", default="")
    run.add_argument("--build-url", default="", help="URL of the build")
    run.add_argument("--job", default="", help="The suite, the same for all of its shards")
    run.add_argument("--attempt", type=int, default=1, help="Attempt of the build, from 1")
    run.add_argument("--environment", default="", help="Such as the operating system")
    if is_part:
        run.add_argument("--shard", type=_shard, default=(None, None), help="Number of this shard and of all: 1/4")
    else:
        run.add_argument("--shards", type=_shards, help="Number of shards; the run ends when all have arrived")
    run.add_argument("--started-at", type=_instant, help="When the tests started, in ISO 8601 with a time zone")
    run.add_argument("--committed-at", type=_instant, help="When the commit was made, in ISO 8601 with a time zone")


def ci_run(options: dict[str, Any]) -> CiRun:
    """The run of CI that the arguments name."""
    shard, shards = options["shard"] if "shard" in options else (None, options["shards"])
    return CiRun(shard=shard, shards=shards, **{name: options[name] for name in _NAMES})


def find_mission(number: int) -> DeckMission:
    """A client mission by its number. Raises CommandError."""
    try:
        return DeckMission.objects.get(number=number)
    except (DeckMission.DoesNotExist, OverflowError):
        raise CommandError(f"Client mission {number} does not exist.") from None


def matching(paths: list[Path]) -> list[Path]:
    """Replace patterns such as reports/**/*.xml by the matching files, sorted. Raises CommandError without any."""
    found: list[Path] = []
    for path in paths:
        if not glob.has_magic(str(path)) or path.exists():
            found.append(path)
            continue
        matches = [Path(each) for each in sorted(glob.glob(str(path), recursive=True)) if Path(each).is_file()]
        if not matches:
            raise CommandError(f"No file matches {path}.")
        found += matches
    return found


def open_file(path: Path | None):
    """A file opened for reading bytes. Raises CommandError if it cannot be opened."""
    if path is None:
        return nullcontext()
    if str(path) == "-":
        return nullcontext(stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _shard(text: str) -> tuple[int, int]:
    """1/4 as numbers. Raises ArgumentTypeError."""
    shard, _slash, shards = text.partition("/")
    if not (shard.isdecimal() and shards.isdecimal() and 1 <= int(shard) <= int(shards) <= MAX_SHARDS):
        raise ArgumentTypeError(f"{text} is not the number of a shard, such as 1/4")
    return int(shard), int(shards)


def _shards(text: str) -> int:
    """A number of shards. Raises ArgumentTypeError."""
    if not (text.isdecimal() and 1 <= int(text) <= MAX_SHARDS):
        raise ArgumentTypeError(f"{text} is not a number of shards from 1 to {MAX_SHARDS}")
    return int(text)


def _instant(text: str) -> datetime:
    """An instant with a time zone. Raises ArgumentTypeError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError(f"{text} is not a time with a zone, such as 2026-11-20T09:30:00Z")
    return instant
