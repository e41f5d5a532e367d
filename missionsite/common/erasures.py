"""The erasures of personal data, recorded outside of the database, so that a restored backup can be erased again.

A backup holds people who were erased after it was made. Each erasure is a document `erasures/<ID>.json` with its time
and the ID of the entry in the directory, which says nothing about the person.
"""

import json
import logging
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from missionsite.common import documents

logger = logging.getLogger(__name__)

FOLDER = "erasures"


def record_erasure(entry: UUID, erased_at: datetime) -> None:
    """Record an erasure once its transaction has committed. A failure is logged; a job records it later."""
    try:
        documents.write(f"{FOLDER}/{entry}.json", json.dumps({"erased_at": erased_at.isoformat()}).encode())
    except Exception:
        logger.exception("The erasure of %s could not be recorded", entry)


def recorded_erasures() -> dict[str, str]:
    """The recorded erasures: their times (ISO 8601) by ID of the directory's entry."""
    found = {}
    for name in documents.names(FOLDER):
        found[PurePosixPath(name).stem] = json.loads(documents.read(name))["erased_at"]
    return found
