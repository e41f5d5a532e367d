"""Messages as files in an outbox folder, one a message: what the demo uses, and what its outbox page shows."""

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
    """Writes `YYYY-MM-DD/<digest of the key>.json`; the same key is the same file, however often it is sent."""

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
            raise Unavailable(f"The outbox cannot be written to: {error.strerror}.") from error
        return Receipt(str(found.relative_to(self.folder)))

    def close(self) -> None:
        pass

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the files of messages to someone whose data is erased."""
        for key in keys:
            if found := self._sent_before(_name_of(key)):
                found.unlink(missing_ok=True)

    def _sent_before(self, name: str) -> Path | None:
        """The file of a key, whichever day it was sent on."""
        return next(self.folder.glob(f"*/{name}"), None)

    def _write(self, name: str, message: Outgoing, now: datetime) -> Path:
        folder = self.folder / f"{now:%Y-%m-%d}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target, unfinished = folder / name, folder / f".{name}.{os.getpid()}"
        text = json.dumps({**asdict(message), "sent_at": now.isoformat()}, ensure_ascii=False, indent=1)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(target)
        return target
