"""What the operations of this app share."""

from typing import Literal

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from ninja import Path, Schema
from pydantic import ConfigDict

from engagement.rules import SENDING_CHANNELS, Destination, Locale, Status, Topic, TransitionTrigger
from groups.models import Member
from missionsite.common.api import Router

router = Router(tags=["engagement"])
AN_INSTANT = "2026-11-20T09:30:00Z"
DestinationName = Literal[*Destination.values]  # type: ignore[valid-type]
LocaleName = Literal[*Locale.values]  # type: ignore[valid-type]
ChannelName = Literal[*SENDING_CHANNELS]  # type: ignore[valid-type]
StatusName = Literal[*Status.values]  # type: ignore[valid-type]
TopicName = Literal[*Topic.values]  # type: ignore[valid-type]
TriggerName = Literal[*TransitionTrigger.values]  # type: ignore[valid-type]
MemberKey = Path(..., description="Stable ID of the member.", examples=["FE-P-00007"], max_length=20)


class Order(Schema):
    """A request body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


def find_member(key: str) -> Member:
    """Return the member with this stable ID. Raises Http404."""
    if found := Member.objects.filter(member_id=key).first():
        return found
    raise Http404(_("The member {member} does not exist.").format(member=key))
