"""Writes each message to a file in the outbox folder; used by the demo and shown on the outbox page."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from engagement.transports.base import Outgoing, Receipt, Unavailable


def _name_of(key: str) -> str:
    return f"{sha256(key.encode()).hexdigest()[:32]}.json"


class FileTransport:
    """Writes `YYYY-MM-DD/<digest of the key>.json`, one file per idempotency key."""

    name = "file"
    marks_every = 100

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = Path(folder or settings.ENGAGEMENT_OUTBOX)

    def send(self, message: Outgoing) -> Receipt:
        name = _name_of(message.idempotency_key)
        now = timezone.now()
        try:
            if (found := self._sent_before(name)) is None:
                found = self._write(name, message, now)
        except OSError as error:
            raise Unavailable(f"Cannot write to the outbox: {error.strerror}.") from error
        return Receipt(str(found.relative_to(self.folder)))

    def close(self) -> None:
        pass

    def forget(self, keys: Iterable[str]) -> None:
        """Delete the files of these messages."""
        for key in keys:
            if found := self._sent_before(_name_of(key)):
                found.unlink(missing_ok=True)

    def _sent_before(self, name: str) -> Path | None:
        """Return the file of a key from any day; None if there is none."""
        return next(self.folder.glob(f"*/{name}"), None)

    def _write(self, name: str, message: Outgoing, now: datetime) -> Path:
        folder = self.folder / f"{now:%Y-%m-%d}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target, unfinished = folder / name, folder / f".{name}.{os.getpid()}"
        text = json.dumps({**asdict(message), "sent_at": now.isoformat()}, ensure_ascii=False, indent=1)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(target)
        return target
