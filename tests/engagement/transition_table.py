"""Every pair of state and trigger: the ten valid ones and the invalid ones.

The table repeats the product's map on purpose, so that a change of the map does not change the expected result.
"""

import itertools

STATES = ("active", "goodbye_sent", "help_flow", "remind_later", "dormant")
TRIGGERS = (
    "inactivity_14d",
    "user_message",
    "goodbye_response_1",
    "goodbye_response_2",
    "goodbye_response_3",
    "goodbye_timeout",
    "reminder_due",
)
# (from, trigger): to
LEGAL = {
    ("active", "inactivity_14d"): "goodbye_sent",
    ("goodbye_sent", "user_message"): "active",
    ("goodbye_sent", "goodbye_response_1"): "help_flow",
    ("goodbye_sent", "goodbye_response_2"): "remind_later",
    ("goodbye_sent", "goodbye_response_3"): "dormant",
    ("goodbye_sent", "goodbye_timeout"): "dormant",
    ("help_flow", "user_message"): "active",
    ("remind_later", "user_message"): "active",
    ("remind_later", "reminder_due"): "dormant",
    ("dormant", "user_message"): "active",
}
# (state, trigger), all 35, and the 25 of them that are rejected.
PAIRS = tuple(itertools.product(STATES, TRIGGERS))
ILLEGAL = tuple(pair for pair in PAIRS if pair not in LEGAL)
