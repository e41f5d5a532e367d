"""The API of the directory: searching members, inviting, registering."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja import Path, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from groups.models import CommunityInvitation, CommunityMember, Member
from groups.models.directory import PrimaryRole, Tier
from groups.rules import (
    MAX_INVITATION_DAYS,
    MAX_INVITATIONS,
    MAX_REPUTATION,
    MAX_USES,
    CommunityStatus,
    InvitationStatus,
)
from groups.scopes import DIRECTORY_READ, DIRECTORY_REGISTER, INVITATIONS_READ, INVITATIONS_WRITE
from groups.selectors.directory import find_entries, find_invitations, may_see_directory
from groups.selectors.people import resolve_entry
from groups.services.invitations import address_to_send, change_invitation, create_invitations, renew_code
from groups.services.invitations import cancel_invitation as cancel
from groups.services.recipients import Recipient
from groups.services.registration import accept_invitation, find_invitation
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate
from missionsite.common.errors import DomainError, NotAllowed

router = Router(tags=["directory"])

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
if TYPE_CHECKING:
    # A type checker cannot read the values of choices.
    RoleName = str
    TierName = str
    StatusName = str
    InvitationStatusName = str
else:
    RoleName = Literal[*PrimaryRole.values]
    TierName = Literal[*Tier.values]
    StatusName = Literal[*CommunityStatus.values]
    InvitationStatusName = Literal[*InvitationStatus.values]
Number = Path(..., ge=1, le=10**17, description="The member's number, without #.", examples=[247])


class InvalidValue(DomainError):
    message = _("A value is not valid.")
    code = "value_rejected"
    status = 422


class Entry(Schema):
    """An entry of the directory, as members see it."""

    number: str = Field(examples=["#247"])
    name: str = Field(examples=["Noor Haddad"])
    primary_role: str = Field(examples=["developer"])
    organization: str | None = Field(examples=["Harbour Lab"])
    country: str | None = Field(examples=["Portugal"])
    telegram_username: str | None = Field(examples=["noor"])
    github_username: str | None = Field(examples=["noor-h"])
    github_verified: bool = Field(examples=[True])
    status: str = Field(description="`active`; staff see every status.", examples=["active"])
    reputation_score: int = Field(examples=[1125])
    reputation_tier: str = Field(examples=["Experienced"])
    joined_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])


class EntryPage(Schema):
    items: list[Entry]
    next: str | None = Field(description="Address of the next page; null on the last.", examples=[None])


class Registration(Schema):
    """The person to register, and their invitation code."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        max_length=64, description="Case, hyphens and spaces are ignored.", examples=["7KQ2-M4XA-9PDT-HC3W"]
    )
    name: Text = Field(min_length=1, max_length=255, examples=["Noor Haddad"])
    email: Text = Field(max_length=255, examples=["noor@example.org"])
    password: str | None = Field(
        None, max_length=128, description="Without a password the account cannot log in yet.", examples=[None]
    )
    primary_role: RoleName = Field(examples=["developer"])
    telegram_id: Text = Field(
        "",
        max_length=255,
        description="Required unless the setting REGISTRATION_NEEDS_TELEGRAM is off.",
        examples=["718281828"],
    )
    telegram_username: Text = Field("", max_length=255, examples=["noor"])
    organization: Text = Field("", max_length=255, examples=["Harbour Lab"])
    country: Text = Field("", max_length=100, examples=["Portugal"])
    phone: Text = Field("", max_length=40, description="Not shown to members.", examples=["+351 912 345 678"])
    github_username: Text = Field("", max_length=255, examples=["noor-h"])
    locale: Text = Field("", max_length=16, description="Language of their messages.", examples=["pt-BR"])
    timezone: Text = Field("", max_length=64, description="By default the site's.", examples=["America/Sao_Paulo"])


class Registered(Schema):
    number: str = Field(examples=["#301"])
    member: str = Field(description="Stable ID of the account.", examples=["FE-P-00301"])
    status: str = Field(examples=["pending"])


class Invitation(Schema):
    """An invitation. Its code is returned once, when it is created."""

    id: uuid.UUID = Field(examples=["0b7c5a44-6f0e-4d6e-8d36-0d4f6a0d0a10"])
    created_by: str = Field(description="Number of the inviting member.", examples=["#247"])
    telegram_username: str | None = Field(examples=["bob"])
    max_uses: int = Field(description="How many people can register with it.", examples=[1])
    uses: int = Field(description="How many have registered with it.", examples=[0])
    status: str = Field(examples=["pending"])
    expires_at: datetime = Field(examples=["2026-03-04T09:30:00Z"])
    accepted_by: str | None = Field(description="Number of the member who registered with it.", examples=[None])
    accepted_at: datetime | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])


class InvitationMade(Invitation):
    """An invitation with its code. No other response contains the code; it can only be replaced by a new one."""

    code: str = Field(description="Works once, until it expires.", examples=["7KQ2-M4XA-9PDT-HC3W"])
    address: str = Field(
        description="Address to register with it.", examples=["https://missions.example.org/join/7KQ2-M4XA-9PDT-HC3W/"]
    )


class InvitationPage(Schema):
    items: list[Invitation]
    next: str | None = Field(examples=[None])


class InvitationsMade(Schema):
    items: list[InvitationMade]


class InvitationOrder(Schema):
    """The people to invite."""

    model_config = ConfigDict(extra="forbid")

    telegram_usernames: list[Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]] = Field(
        default_factory=lambda: [""],
        min_length=1,
        max_length=MAX_INVITATIONS,
        description="One invitation each; an empty name is for anyone with the code.",
        examples=[["bob", "eve"]],
    )
    days: int | None = Field(
        None,
        ge=1,
        le=MAX_INVITATION_DAYS,
        description="Validity in days; the site's default if left out.",
        examples=[3],
    )
    max_uses: int = Field(
        1, ge=1, le=MAX_USES, description="How many people can register with each of them.", examples=[40]
    )
    created_by: int | None = Field(
        None, ge=1, description="Number of another inviting member; staff only.", examples=[247]
    )


class InvitationChange(Schema):
    """What to change on an invitation. What is left out stays; its code stays too."""

    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(
        None,
        ge=1,
        le=MAX_INVITATION_DAYS,
        description="Validity in days from now; an expired invitation works again.",
        examples=[3],
    )
    telegram_username: Text | None = Field(
        None, max_length=255, description="Who it is for; empty for anyone with the code.", examples=["bob"]
    )
    max_uses: int | None = Field(
        None, ge=1, le=MAX_USES, description="How many people can register with it.", examples=[40]
    )


class NewCode(Schema):
    """The validity of a new code."""

    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(
        None,
        ge=1,
        le=MAX_INVITATION_DAYS,
        description="Validity in days; the site's default if left out.",
        examples=[3],
    )


class Reason(Schema):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500, description="Stored with the event.", examples=["Sent by mistake"])


@router.get("/directory/members", response=EntryPage, summary="Search the directory")
@needs(DIRECTORY_READ, staff=["groups.view_communitymember"], checks_rights=True)
def search_directory(
    request: SiteRequest,
    response: HttpResponse,
    q: Annotated[str | None, StringConstraints(max_length=255)] = None,
    role: RoleName | None = None,
    tier: TierName | None = None,
    country: Annotated[str | None, StringConstraints(max_length=100)] = None,
    verified: bool | None = None,
    status: StatusName | None = None,
    min_score: Annotated[int | None, Field(ge=0, le=MAX_REPUTATION)] = None,
    max_score: Annotated[int | None, Field(ge=0, le=MAX_REPUTATION)] = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List active members, newest first. Requires an active member; staff with the permission see every status.

    `q`: a number, or the beginning of a name, a Telegram or GitHub name or an organisation.
    """
    staff = _may_look(request)
    filters: dict[str, Any] = {
        "q": q,
        "role": role,
        "tier": tier,
        "country": country,
        "verified": verified,
        "status": status if staff else CommunityStatus.ACTIVE,
        "min_score": min_score,
        "max_score": max_score,
    }
    position = PageCursor("directory", tuple(filters.values()))
    rows = find_entries(**filters, after=position.read(cursor), at_most=limit + 1)
    page = paginate(request, response, position, rows, limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_entry(row) for row in page["items"]]}


@router.get("/directory/members/{number}", response=Entry, summary="Show a member")
@needs(DIRECTORY_READ, staff=["groups.view_communitymember"], checks_rights=True)
def get_directory_member(request: SiteRequest, number: int = Number):
    """Return one member of the directory; for the number of a merged entry, the one it was merged into."""
    rows = CommunityMember.objects.present() if _may_look(request) else CommunityMember.objects.active()
    entry = rows.filter(member_id=f"#{number}").first()
    if entry is None and (merged := CommunityMember.objects.filter(member_id=f"#{number}").first()):
        entry = rows.filter(pk=resolve_entry(merged).pk).first()
    if entry:
        return _entry(entry)
    raise Http404(gettext("There is no member #%(number)d that you can see.") % {"number": number})


@router.post("/directory/register", response={201: Registered}, summary="Register with an invitation code")
@needs(
    DIRECTORY_REGISTER,
    checks_rights=True,
    attempts=lambda: settings.JOIN_ATTEMPTS_PER_MINUTE,
)
def register(request: SiteRequest, order: Registration):
    """Create an account and a pending directory entry, and use up the code.

    Every invalid code is rejected with the same message.
    """
    # The code first: without a valid one, nothing can be learned from the other fields.
    find_invitation(order.code)
    _check(validate_email, order.email, "email")
    if order.password is not None:
        _check(validate_password, order.password, "password")
    entry = accept_invitation(**order.dict())
    person = cast(Member, entry.person)
    return Status(201, {"number": entry.member_id, "member": person.member_id, "status": entry.status})


@router.get("/directory/invitations", response=InvitationPage, summary="List invitations")
@needs(INVITATIONS_READ, staff=["groups.view_communityinvitation"], checks_rights=True)
def list_invitations(
    request: SiteRequest,
    response: HttpResponse,
    status: InvitationStatusName | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List your invitations, newest first; all of them for staff with the permission."""
    everyone = request.auth.member.is_staff
    mine = None if everyone else _own_entry(request).member_id
    position = PageCursor("invitations", (mine, status))
    rows = find_invitations(created_by=mine, status=status, after=position.read(cursor), at_most=limit + 1)
    page = paginate(request, response, position, rows, limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_invitation(row) for row in page["items"]]}


@router.post("/directory/invitations", response={201: InvitationsMade}, summary="Invite people")
@needs(INVITATIONS_WRITE, staff=["groups.add_communityinvitation"], checks_rights=True)
def invite(request: SiteRequest, order: InvitationOrder):
    """Create invitations, all or none. There is a limit for 24 hours.

    Only this response contains their codes: keep them until they are sent.
    """
    if order.created_by is not None:
        request.auth.need("groups.add_communityinvitation")
        inviter = CommunityMember.objects.present().filter(member_id=f"#{order.created_by}").first()
        if inviter is None:
            raise InvalidValue(
                gettext("There is no member #%(number)d.") % {"number": order.created_by}, field="created_by"
            )
    else:
        inviter = _own_entry(request)
    made = create_invitations(
        created_by=inviter,
        telegram_usernames=order.telegram_usernames,
        lasts=timedelta(days=order.days) if order.days else None,
        max_uses=order.max_uses,
        actor=request.auth.member,
    )
    return Status(201, {"items": [_invitation_made(each) for each in made]})


@router.post("/directory/invitations/{invitation_id}/cancel", response=Invitation, summary="Cancel an invitation")
@needs(INVITATIONS_WRITE, staff=["groups.change_communityinvitation"], checks_rights=True)
def cancel_invitation(request: SiteRequest, invitation_id: uuid.UUID, order: Reason | None = None):
    """Cancel one of your invitations, or as staff any invitation."""
    invitation = _invitation_to_change(request, invitation_id)
    return _invitation(cancel(invitation=invitation, actor=request.auth.member, reason=order.reason if order else ""))


@router.patch("/directory/invitations/{invitation_id}", response=Invitation, summary="Change an invitation")
@needs(INVITATIONS_WRITE, staff=["groups.change_communityinvitation"], checks_rights=True)
def update_invitation(request: SiteRequest, invitation_id: uuid.UUID, order: InvitationChange):
    """Extend one of your invitations, or as staff any, or change its recipient or number of people."""
    invitation = _invitation_to_change(request, invitation_id)
    recipient = None
    if order.telegram_username is not None:
        recipient = Recipient(
            name=invitation.invited_name or "",
            email=invitation.invited_email or "",
            telegram_username=order.telegram_username,
        )
    changed = change_invitation(
        invitation=invitation,
        lasts=timedelta(days=order.days) if order.days else None,
        recipient=recipient,
        max_uses=order.max_uses,
        actor=request.auth.member,
    )
    return _invitation(changed)


@router.post("/directory/invitations/{invitation_id}/code", response=InvitationMade, summary="Create a new code")
@needs(INVITATIONS_WRITE, staff=["groups.change_communityinvitation"], checks_rights=True)
def renew_invitation_code(request: SiteRequest, invitation_id: uuid.UUID, order: NewCode | None = None):
    """Give a pending or expired invitation a new code and a new expiry: one of your own, or as staff any.

    The old code stops working immediately. Only this response contains the new one.
    """
    invitation = _invitation_to_change(request, invitation_id)
    lasts = timedelta(days=order.days) if order and order.days else None
    return _invitation_made(renew_code(invitation=invitation, lasts=lasts, actor=request.auth.member))


def _may_look(request: SiteRequest) -> bool:
    """Whether the caller is staff, who see every status. Raises NotAllowed unless staff or an active member."""
    caller = request.auth
    if caller.member.is_staff:
        return True
    if not may_see_directory(caller.member):
        raise NotAllowed(gettext("Only active members can see the directory."))
    return False


def _invitation_to_change(request: SiteRequest, invitation_id: uuid.UUID) -> CommunityInvitation:
    """Return one of the caller's invitations, or for staff any invitation. Raises Http404."""
    rows = CommunityInvitation.objects.filter(pk=invitation_id)
    if not request.auth.member.is_staff:
        rows = rows.filter(created_by__person=request.auth.member.pk)
    if (invitation := rows.first()) is None:
        raise Http404(gettext("There is no such invitation that you can change."))
    return invitation


def _own_entry(request: SiteRequest) -> CommunityMember:
    entry = CommunityMember.objects.present().filter(person=request.auth.member.pk).first()
    if entry is None:
        raise NotAllowed(gettext("Only a member of the directory can invite."))
    return entry


def _check(validator, value: str, field: str) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise InvalidValue(" ".join(error.messages), field=field) from None


def _entry(entry: CommunityMember) -> dict:
    return {
        "number": entry.member_id,
        "joined_at": entry.created_at,
        **{
            name: getattr(entry, name)
            for name in (
                "name",
                "primary_role",
                "organization",
                "country",
                "telegram_username",
                "github_username",
                "github_verified",
                "status",
                "reputation_score",
                "reputation_tier",
            )
        },
    }


def _invitation(invitation: CommunityInvitation) -> dict:
    return {
        "id": invitation.pk,
        "created_by": invitation.created_by_id,
        "telegram_username": invitation.invited_telegram_username,
        "accepted_by": invitation.accepted_by_id,
        **{
            name: getattr(invitation, name)
            for name in ("status", "expires_at", "accepted_at", "created_at", "max_uses", "uses")
        },
    }


def _invitation_made(invitation: CommunityInvitation) -> dict:
    return _invitation(invitation) | {"code": invitation.spelled_code, "address": address_to_send(invitation)}
