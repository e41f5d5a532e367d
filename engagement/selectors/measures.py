"""What happened after messages: delivered, answered, came back, opted out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from engagement.rules import CONTROL_GROUP, EFFECT_DAYS
from missionsite.common.sql_loader import read_sql

_MEASURES = read_sql("engagement/queries/measures")
# By what messages can be counted.
GROUPINGS = ("template", "sequence", "week")


@dataclass(frozen=True)
class Measure:
    """Counts of the messages of one template, sequence or week.

    answered: by option 1, 2, 3 of the goodbye. came_back: active within EFFECT_DAYS. control: members of the control
    group who were not sent it, and of them those who came back all the same.
    """

    label: str
    sent: int
    delivered: int
    answered: tuple[int, int, int]
    came_back: int
    opted_out: int
    control: int
    control_came_back: int


def measures(*, by: str, since: datetime, until: datetime) -> list[Measure]:
    """Return the measures of the messages sent in a period, without tests of templates. by: one of GROUPINGS."""
    values: dict[str, Any] = {
        "by": by,
        "since": since,
        "until": until,
        "control": CONTROL_GROUP,
        "effect": timedelta(days=EFFECT_DAYS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MEASURES, values)
        rows = cursor.fetchall()
    return [Measure(row[0], row[1], row[2], (row[3], row[4], row[5]), *row[6:]) for row in rows]
