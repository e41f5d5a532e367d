"""Messages of members and receipts, delivered by a gateway."""

from datetime import UTC, datetime
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import AwareDatetime, Field, field_validator, model_validator

from engagement.api.base import AN_INSTANT, ChannelName, Order, router
from engagement.rules import ReceiptStatus
from engagement.services import messages as queue
from engagement.services.senders import receive_text
from missionsite.common.api import signed

StatusReported = Literal[*ReceiptStatus.values]  # type: ignore[valid-type]


class InboundOut(Schema):
    """Effect of a message."""

    effect: str = Field(
        description=(
            "`user_message`, `goodbye_response_1` to `3`, `opted_out`, `opted_in`, `to_group`, `to_individual`;"
            " `auto_reply`: written by a program, no effect; `unclear`: an unclear reply to the goodbye, asked again;"
            " `courtesy`: thanks after the answer 3, no effect;"
            " `address_verified`: the text is the code of the member, whose address is verified now;"
            " `kept`: the address is not verified or of several members, staff decide;"
            " `repeated`: received before; `ignored`: no member has this address."
        ),
        examples=["goodbye_response_2"],
    )
    state: str | None = Field(
        description="State of the member afterwards; null if ignored or kept.", examples=["remind_later"]
    )


class ReceiptOut(Schema):
    known: bool = Field(description="Whether this message was sent.", examples=[True])


class GatewayEvent(Order):
    """An event reported by a gateway, with its time."""

    at: AwareDatetime | None = Field(None, description="With UTC offset; by default now.", examples=[AN_INSTANT])

    @field_validator("at")
    @classmethod
    def _clamp_to_now(cls, at: datetime | None) -> datetime | None:
        # Times in the future, from a clock that is ahead, become now.
        if at is not None and at < datetime(2000, 1, 1, tzinfo=UTC):
            raise ValueError("The time must be after 2000-01-01.")
        return at and min(at, timezone.now())


class Inbound(GatewayEvent):
    platform: str = Field(min_length=1, max_length=50, examples=["whatsapp"])
    message_id: str = Field(
        min_length=1,
        max_length=255,
        description="The platform's ID of the message.",
        examples=["wamid.HBgNNTUxMTk5OTk5"],
    )
    sender: str = Field(
        min_length=1, max_length=255, description="Address of the chat.", examples=["5511999990000@c.us"]
    )
    text: str = Field(max_length=70_000, description="Not stored.", examples=["2"])
    auto_submitted: bool | str | None = Field(
        None,
        description=(
            "Whether a program wrote the message: true, or the value of the e-mail header `Auto-Submitted` (RFC 3834)."
            " Such a message has no effect."
        ),
        examples=["auto-replied"],
    )

    @field_validator("auto_submitted", mode="before")
    @classmethod
    def _is_header(cls, value: object) -> object:
        if value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= 255):
            return value
        raise ValueError("Enter true, false or the value of the header Auto-Submitted.")


class ReceiptOrder(GatewayEvent):
    idempotency_key: str = Field(
        "",
        max_length=255,
        description="Key of the message. Alternative to `provider_message_id`.",
        examples=["6f1f3b0e:goodbye:2026-03-01"],
    )
    provider_message_id: str = Field(
        "", max_length=255, description="The `id` from the gateway's response.", examples=["wamid.HBgNNTUxMTk5OTk5"]
    )
    status: StatusReported = Field(
        description=(
            "`failed`: not delivered, the address may be valid; `bounced`: the address rejected it; `complained`: the"
            " member reported it as unwanted. No further message is sent to an address that bounced for good, several"
            " times in a row for a time, or complained."
        ),
        examples=["delivered"],
    )
    permanent: bool = Field(
        True, description="Of a bounce: false if the address may work later, as with a full mailbox.", examples=[True]
    )
    channel: ChannelName | None = Field(
        None, description="The channel of the message, if the site has several.", examples=["whatsapp"]
    )
    error: str = Field("", max_length=1000, description="Why it failed.", examples=["The number has no account."])

    @model_validator(mode="after")
    def _names_one(self) -> "ReceiptOrder":
        if bool(self.idempotency_key) == bool(self.provider_message_id):
            raise ValueError("Enter either idempotency_key or provider_message_id.")
        return self


def _secrets() -> list[str]:
    return settings.ENGAGEMENT_INBOUND_SECRETS


@router.post("/engagement/inbound", response=InboundOut, tags=["gateway"], summary="Deliver a message from a member")
@signed(_secrets, repeatable=_("platform and message_id identify a message"))
def receive_message(request: HttpRequest, order: Inbound) -> dict:
    """Classify a message from a member's own chat and carry out the request.

    A repeated message of the same platform has no effect. A message from an address that no member has is `ignored`; do
    not send it again. From an address that its member has not verified, a message can only opt out.
    """
    received = receive_text(
        platform=order.platform,
        sender=order.sender,
        text=order.text,
        message_id=order.message_id,
        at=order.at,
        auto_submitted=order.auto_submitted,
    )
    return vars(received)


@router.post("/engagement/receipts", response=ReceiptOut, tags=["gateway"], summary="Report the delivery of a message")
@signed(_secrets, repeatable=_("a repeated receipt changes nothing"))
def receive_receipt(request: HttpRequest, order: ReceiptOrder) -> dict:
    """Record that a message was delivered, failed, bounced or led to a complaint. A repeated receipt changes nothing.

    `known` is false if no such message was sent, or if it is not recorded as sent yet: retry in a minute.
    """
    found = queue.record_receipt(
        idempotency_key=order.idempotency_key,
        provider_message_id=order.provider_message_id,
        status=ReceiptStatus(order.status),
        is_permanent=order.permanent,
        at=order.at or timezone.now(),
        error=order.error,
        channel=order.channel or "",
    )
    return {"known": found is not None}
