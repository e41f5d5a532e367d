"""What log and history keep quiet about."""

import logging
import re

_PLACES = ("/join/", "/unsubscribe/", "/deck/feeds/")
_SECRET = re.compile(rf"({'|'.join(_PLACES)})(?!…).+", re.DOTALL)


def without_secrets(text: str) -> str:
    """A text without what stands behind these places in an address."""
    return _SECRET.sub(r"\1…", text) if any(place in text for place in _PLACES) else text


class HideCodes(logging.Filter):
    """Cuts an invitation code, which may still be open, a member's way out of messages, which stays good, and the
    secret of a calendar feed out of every line that names the address it stands in.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if any(place in message for place in _PLACES):
            record.msg, record.args = without_secrets(message), ()
        return True
