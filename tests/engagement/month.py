"""A member, a clock and a provider that live through days, weeks and months together."""

from datetime import timedelta

from engagement.models import UserEngagementState
from engagement.services.inbound import handle_inbound
from engagement.services.sweeps import sweep_daily, sweep_weekly
from groups.models import Member
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.factories.engagement import quiet_person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Month:
    """A member, a clock and a provider; run() lives through the days with the sweeps and senders of the worker."""

    def __init__(self, person: Member, answer=lambda message: None) -> None:
        self.person, self.begun, self.clock = person, NOON, Clock(NOON)
        self.provider = Provider(answer)

    def run(self, length: timedelta, *, sending: bool = True) -> "Month":
        end = self.clock.at + length
        while self.clock.at < end:
            self.clock.at = min(self.clock.at + 6 * HOUR, end)
            sweep_daily(at=self.clock.at)
            sweep_weekly(at=self.clock.at)
            if sending:
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


def quiet_month(**fields) -> Month:
    return Month(quiet_person(at=NOON, **fields))
