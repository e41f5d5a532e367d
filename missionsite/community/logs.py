"""What the log keeps quiet about."""

import logging
import re

_SECRET = re.compile(r"(/(?:join|unsubscribe)/)(?!…).+", re.DOTALL)


class HideCodes(logging.Filter):
    """Cuts an invitation code, which may still be open, and a member's way out of messages, which stays good, out of
    every line that names the address it stands in.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/join/" in message or "/unsubscribe/" in message:
            record.msg, record.args = _SECRET.sub(r"\1…", message), ()
        return True
