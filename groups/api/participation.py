"""The API of participation, which platforms report."""

from typing import Annotated, Any

from ninja import Schema
from pydantic import ConfigDict, Field

from groups.rules import MAX_PARTICIPATION_EVENTS
from groups.scopes import PARTICIPATION_WRITE
from groups.services.participation import ingest_participation
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["directory"])


class ParticipationEvent(Schema):
    """One action of a member on a platform."""

    model_config = ConfigDict(extra="forbid")

    member_id: str = Field(description="The member's number.", examples=["#247"])
    event_type: str = Field(description="MESSAGE, REACTION, VOICE, ACTION, JOIN or LEAVE.", examples=["MESSAGE"])
    platform: str = Field(description="telegram, discord, twitch, kick or github.", examples=["telegram"])
    room_id: str = Field(examples=["-1001234567890"])
    message_id: str | None = Field(
        None, description="ID on the platform; a repeated one is counted once.", examples=["48213"]
    )
    event_metadata: dict[str, Any] | None = Field(
        None, description='For VOICE the duration, `{"minutes": 12}`.', examples=[None]
    )
    occurred_at: str | None = Field(
        None, description="ISO 8601 with an offset; now by default.", examples=["2026-03-01T18:30:00Z"]
    )


class ParticipationOrder(Schema):
    model_config = ConfigDict(extra="forbid")

    events: Annotated[
        list[ParticipationEvent],
        Field(
            min_length=1,
            max_length=MAX_PARTICIPATION_EVENTS,
            examples=[[{"member_id": "#247", "event_type": "MESSAGE"}]],
        ),
    ]


class Rejection(Schema):
    line: int = Field(description="Position in the batch, from 1.", examples=[3])
    reason: str = Field(examples=["No one in the directory has the number #9."])


class ParticipationResult(Schema):
    """The result of a batch."""

    recorded: int = Field(examples=[998])
    repeated: int = Field(description="Platform messages that were recorded before.", examples=[1])
    rejected: list[Rejection] = Field(examples=[[]])


@router.post("/participation", response=ParticipationResult, summary="Record participation")
@needs(PARTICIPATION_WRITE, staff=["groups.add_memberparticipation"], checks_rights=True)
def record_participation(request: SiteRequest, order: ParticipationOrder):
    """Record participation of members, up to 5,000 events at once.

    Invalid events are reported and do not stop the others. A repeated platform message is counted once, so a batch can
    be repeated as a whole.
    """
    request.auth.need("groups.add_memberparticipation")
    result = ingest_participation(events=[event.dict() for event in order.events])
    return {
        "recorded": result.recorded,
        "repeated": result.repeated,
        "rejected": [vars(each) for each in result.rejected],
    }
