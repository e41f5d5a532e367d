"""A member, a clock and a provider that live through days, weeks and months together."""

from datetime import UTC, datetime, timedelta

from engagement.models import EngagementMessage, UserEngagementState
from engagement.services.inbound import handle_inbound
from engagement.services.sweeps import sweep_daily, sweep_weekly
from groups.models import Member
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.factories.engagement import quiet_person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A Monday; a year after it is in the past.
A_YEAR_AGO = datetime(2025, 3, 3, 12, tzinfo=UTC)


class Month:
    """A member, a clock and a provider; run() lives through the days with the sweeps and senders of the worker."""

    def __init__(self, person: Member, answer=lambda message: None, *, at: datetime = NOON) -> None:
        self.person, self.begun, self.clock = person, at, Clock(at)
        self.provider = Provider(answer)

    def live(self, days: int) -> "Month":
        """Live through many days, with one sweep a day."""
        return self.run(days * DAY, step=DAY)

    def run(self, length: timedelta, *, sending: bool = True, step: timedelta = 12 * HOUR) -> "Month":
        end = self.clock.at + length
        while self.clock.at < end:
            self.clock.at = min(self.clock.at + step, end)
            sweep_daily(at=self.clock.at)
            if step < DAY or self.clock.at.weekday() == 0:
                sweep_weekly(at=self.clock.at)
            due = EngagementMessage.objects.filter(status="pending", scheduled_for__lte=self.clock.at)
            if sending and due.exists():
                sender(self.provider, self.clock).drain()
        return self

    def write(self, text: str):
        return handle_inbound(actor=self.person, text=text, at=self.clock.at)

    @property
    def state(self) -> UserEngagementState:
        return UserEngagementState.objects.get(user=self.person)

    @property
    def received(self) -> list[str]:
        return [message.message_type for message in self.provider.taken]

    @property
    def goodbyes(self) -> int:
        return self.received.count("goodbye")


def quiet_month(*, at: datetime = NOON, **fields) -> Month:
    return Month(quiet_person(at=at, **fields), at=at)
