"""Seal the audit in chained blocks, verify it, and publish its digest outside of the database.

A block has the ids and leaves of up to 1,000 entries and the digest of the block before it. So a changed, added or
removed entry is found, and so is a changed block; a removed end of the chain is found with a published digest.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction

from missionsite.common.audit.sources import missing_triggers
from missionsite.common.models import AuditBlock
from missionsite.common.sql_loader import read_sql

# Blocks that one statement verifies.
BLOCKS_AT_ONCE = 50


@dataclass
class Report:
    """What was verified. problems: one sentence each, in the order of the chain."""

    entries: int = 0
    blocks: int = 0
    erased: int = 0
    deleted: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return not self.problems


def seal_all() -> int:
    """Seal all entries that wait, a block per transaction. Returns their number."""
    sealed = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT seal_audit()")
            (number,) = cursor.fetchone()
        sealed += number
        if number == 0:
            return sealed


def verify(*, published: list[dict[str, Any]] | None = None) -> Report:
    """Check the chain, each entry and its details, and published digests. The first problem of each kind is reported.

    published: see digest_of().
    """
    report = Report()
    problems = report.problems
    problems += [f"The trigger {name} is missing or switched off." for name in missing_triggers()]
    _verify_chain(report, problems)
    for first in range(1, report.blocks + 1, BLOCKS_AT_ONCE):
        wrong = _rows("common/queries/verify_audit_entries", [first, first + BLOCKS_AT_ONCE - 1])
        problems += [_entry_problem(*row) for row in wrong]
        if wrong:
            break
    problems += [_entry_problem(*row) for row in _rows("common/queries/verify_audit_waiting", [])]
    ((report.entries, report.erased, report.waiting),) = _rows("common/queries/count_audit", [])
    for digest in published or []:
        problems += _published_problem(digest)
    return report


def _verify_chain(report: Report, problems: list[str]) -> None:
    """Check number, digest and link of each block; stops at the first wrong one."""
    for row in _rows("common/queries/verify_audit_blocks", []):
        block, number, is_linked, is_digest, is_content, is_early, deleted = row
        report.blocks = block
        report.deleted += deleted
        if number != block:
            problems.append(f"Block {block} is missing.")
        elif not is_linked:
            problems.append(f"Block {block} does not follow the block before it.")
        elif not (is_digest and is_content):
            problems.append(f"Block {block} was changed.")
        elif is_early:
            problems.append(f"The entries of block {block} were deleted before their time.")
        else:
            continue
        return


def _rows(name: str, parameters: list) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(read_sql(name), parameters)
        return cursor.fetchall()


def _entry_problem(number: int, problem: str, block: int | None) -> str:
    where = f" of block {block}" if block else ""
    return {
        "missing": f"Entry {number}{where} is missing.",
        "changed": f"Entry {number}{where} was changed.",
        "details": f"The details of entry {number}{where} were changed.",
        "no_details": f"The details of entry {number}{where} are missing.",
        "unsealed": f"Entry {number} is in no block and does not wait to be sealed.",
    }[problem]


def _published_problem(digest: dict[str, Any]) -> list[str]:
    found = _rows("common/queries/audit_block_digest", [digest["block"]])
    if not found:
        return [f"Block {digest['block']}, published on {digest['day']}, is missing: the end of the audit was removed."]
    if found != [(digest["digest"],)]:
        return [f"Block {digest['block']} is not the one published on {digest['day']}."]
    return []


# --- Digests outside of the database ----------------------------------------------------------


def digest_of(day: date) -> dict[str, Any] | None:
    """The digest of the last block sealed by the end of a day (UTC), which covers all before it; None without one."""
    end = datetime.combine(day, datetime.max.time(), UTC)
    block = AuditBlock.objects.filter(sealed_at__lte=end).order_by("number").last()
    if block is None:
        return None
    return {
        "day": day.isoformat(),
        "block": block.number,
        "sealed_at": block.sealed_at.isoformat(),
        "digest": bytes(block.digest).hex(),
    }


def publish_digest(day: date) -> dict[str, Any] | None:
    """Write the digest of a day to AUDIT_DIGEST_FOLDER and mail it to AUDIT_DIGEST_MAIL, as far as these are set."""
    digest = digest_of(day)
    if digest is None:
        return None
    text = json.dumps(digest)
    if settings.AUDIT_DIGEST_FOLDER:
        folder = Path(settings.AUDIT_DIGEST_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{day.isoformat()}.new"
        unfinished.write_text(f"{text}\n")
        unfinished.replace(folder / f"audit-{day.isoformat()}.json")
    if settings.AUDIT_DIGEST_MAIL:
        send_mail(f"Audit digest of {day.isoformat()}", f"{text}\n", None, settings.AUDIT_DIGEST_MAIL)
    return digest


def read_digests(path: Path) -> list[dict[str, Any]]:
    """Read the digests of a file, or of all files audit-*.json of a folder.

    Raises OSError, and ValueError for a file that is no digest.
    """
    files = sorted(path.glob("audit-*.json")) if path.is_dir() else [path]
    digests = [json.loads(file.read_text()) for file in files]
    for file, digest in zip(files, digests, strict=True):
        if not (isinstance(digest, dict) and isinstance(digest.get("block"), int) and {"day", "digest"} <= set(digest)):
            raise ValueError(f"{file.name} is no digest of the audit.")
    return digests
