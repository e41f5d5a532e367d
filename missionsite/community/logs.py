"""What the log keeps quiet about."""

import logging
import re

_CODE = re.compile(r"(/join/)(?!…).+", re.DOTALL)


class HideCodes(logging.Filter):
    """Cuts an invitation code, which may still be open, out of every line that names the address it stands in."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "/join/" in message:
            record.msg, record.args = _CODE.sub(r"\1…", message), ()
        return True
