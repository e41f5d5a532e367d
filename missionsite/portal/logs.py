"""Removes secrets in addresses from the log and the history."""

import logging
import re

_SECRET_PATHS = (
    "/join/",
    "/return/",
    "/unsubscribe/",
    "/deck/feeds/",
    "/account/password/reset/key/",
    "/account/confirm-email/",
)
_SECRET = re.compile(rf"({'|'.join(_SECRET_PATHS)})(?!…).+", re.DOTALL)


def mask_secrets(text: str) -> str:
    """The text with the part of the address after these paths replaced by an ellipsis."""
    return _SECRET.sub(r"\1…", text) if any(place in text for place in _SECRET_PATHS) else text


class HideSecretsFilter(logging.Filter):
    """Removes codes of invitations, tokens of links in mails and the secrets of calendar feeds from log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if any(place in message for place in _SECRET_PATHS):
            record.msg, record.args = mask_secrets(message), ()
        return True
