"""What a mail server's reply says about an address. Sources: RFC 5321 (codes), RFC 3463 (enhanced codes)."""

import re

from engagement.rules import AddressReport

_ENHANCED = re.compile(r"(?:^|[^0-9.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")
# Enhanced codes: no such mailbox or domain, address not valid, mailbox moved or disabled, no mail accepted.
_GONE = {("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1")}
# Mailbox full.
_FULL = ("2", "2")
# The address in RCPT is unknown; without an enhanced code.
_UNKNOWN_ADDRESS = (550, 551, 553)


def report_of_reply(code: int, text: str, *, to_address: bool) -> AddressReport | None:
    """Return what a reply means for the address; None if it is about the message or the site, such as spam filters.

    to_address: it is the reply to the address (RCPT), not to the message.
    """
    if found := _ENHANCED.search(text):
        family, *detail = found.groups()
        if family == "5" and tuple(detail) in _GONE:
            return AddressReport.HARD_BOUNCE
        if tuple(detail) == _FULL:
            return AddressReport.SOFT_BOUNCE
        # 5.0.0 says nothing; other subjects are policies and faults of servers.
        if family == "5" and tuple(detail) != ("0", "0"):
            return None
    if not to_address:
        return None
    if code in _UNKNOWN_ADDRESS:
        return AddressReport.HARD_BOUNCE
    # 552 and every temporary reply: storage, greylisting, unavailable.
    return AddressReport.SOFT_BOUNCE if code == 552 or 400 <= code < 500 else None
