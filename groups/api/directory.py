"""The API of the directory: finding members, inviting, registering with a code."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Literal

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Schema, Status
from pydantic import ConfigDict, Field, StringConstraints

from groups.models import CommunityInvitation, CommunityMember
from groups.models.directory import CommunityStatus, PrimaryRole, Tier
from groups.models.invitations import InvitationStatus
from groups.scopes import DIRECTORY_READ, DIRECTORY_REGISTER, INVITATIONS_READ, INVITATIONS_WRITE
from groups.selectors.directory import find_entries, find_invitations, may_see_directory
from groups.services.invitations import address_to_send, create_invitations, renew_code
from groups.services.invitations import cancel_invitation as cancel
from groups.services.registration import accept_invitation, find_invitation
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate
from missionsite.common.errors import DomainError, NotAllowed

router = Router(tags=["directory"])

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Role = Literal[tuple(PrimaryRole.values)]
Number = Path(..., ge=1, le=10**17, description="The member's number, without #.", examples=[247])


class InvalidValue(DomainError):
    """A value is not as it has to be."""

    code = "value_rejected"
    status = 422


class Entry(Schema):
    """An active member, as other members see them."""

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
    """Who registers, and the code they were given."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        max_length=64, description="As typed; case, hyphens and blanks do not matter.", examples=["7KQ2-M4XA-9PDT-HC3W"]
    )
    name: Text = Field(min_length=1, max_length=255, examples=["Noor Haddad"])
    email: Text = Field(max_length=255, examples=["noor@example.org"])
    password: str | None = Field(
        None, max_length=128, description="Without one no one can log in as them yet.", examples=[None]
    )
    primary_role: Role = Field(examples=["developer"])
    telegram_id: Text = Field(min_length=1, max_length=255, examples=["718281828"])
    telegram_username: Text = Field("", max_length=255, examples=["noor"])
    organization: Text = Field("", max_length=255, examples=["Harbour Lab"])
    country: Text = Field("", max_length=100, examples=["Portugal"])
    github_username: Text = Field("", max_length=255, examples=["noor-h"])
    locale: Text = Field("", max_length=16, description="Language they are written to in.", examples=["pt-BR"])
    timezone: Text = Field(
        "",
        max_length=64,
        description="Their time zone; the site's own when left out.",
        examples=["America/Sao_Paulo"],
    )


class Registered(Schema):
    number: str = Field(examples=["#301"])
    member: str = Field(description="Stable ID of the account.", examples=["FE-P-00301"])
    status: str = Field(examples=["pending"])


class Invitation(Schema):
    """Lets one person register with its code, which is given once, to who made it."""

    id: uuid.UUID = Field(examples=["0b7c5a44-6f0e-4d6e-8d36-0d4f6a0d0a10"])
    created_by: str = Field(description="Number of the member in whose name it was made.", examples=["#247"])
    telegram_username: str | None = Field(examples=["bob"])
    status: str = Field(examples=["pending"])
    expires_at: datetime = Field(examples=["2026-03-04T09:30:00Z"])
    accepted_by: str | None = Field(description="Number of who registered with it.", examples=[None])
    accepted_at: datetime | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])


class InvitationMade(Invitation):
    """An invitation with its code. It is in no other answer and cannot be had again; a new code can."""

    code: str = Field(description="Works once, until it expires.", examples=["7KQ2-M4XA-9PDT-HC3W"])
    address: str = Field(
        description="Where to register with it.", examples=["https://missions.example.org/join/7KQ2-M4XA-9PDT-HC3W/"]
    )


class InvitationPage(Schema):
    items: list[Invitation]
    next: str | None = Field(examples=[None])


class InvitationsMade(Schema):
    items: list[InvitationMade]


class InvitationOrder(Schema):
    """Whom to invite."""

    model_config = ConfigDict(extra="forbid")

    telegram_usernames: list[Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]] = Field(
        default_factory=lambda: [""],
        min_length=1,
        max_length=500,
        description="One invitation each; an empty name is for anyone with the code.",
        examples=[["bob", "eve"]],
    )
    days: int | None = Field(
        None, ge=1, le=90, description="How long they work; the site's own span when left out.", examples=[3]
    )
    created_by: int | None = Field(
        None, ge=1, description="In the name of another member, by number; staff only.", examples=[247]
    )


class NewCode(Schema):
    """How long a new code works."""

    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(None, ge=1, le=90, description="The site's own span when left out.", examples=[3])


class Reason(Schema):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500, description="Kept with the event.", examples=["Sent by mistake"])


@router.get("/directory/members", response=EntryPage, summary="Search the directory")
@needs(DIRECTORY_READ, staff=["groups.view_communitymember"], checks_rights=True)
def search_directory(
    request: HttpRequest,
    response: HttpResponse,
    q: Annotated[str | None, StringConstraints(max_length=255)] = None,
    role: Role | None = None,
    tier: Literal[tuple(Tier.values)] | None = None,
    country: Annotated[str | None, StringConstraints(max_length=100)] = None,
    verified: bool | None = None,
    status: Literal[tuple(CommunityStatus.values)] | None = None,
    min_score: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None,
    max_score: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """Active members, newest first, for active members; staff who may see the directory see every status.

    `q`: a number, or the beginning of a name, a Telegram or GitHub name or an organisation.
    """
    staff = _may_look(request)
    filters = {
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
def get_directory_member(request: HttpRequest, number: int = Number):
    """One member of the directory."""
    rows = CommunityMember.objects.present() if _may_look(request) else CommunityMember.objects.active()
    if entry := rows.filter(member_id=f"#{number}").first():
        return _entry(entry)
    raise Http404(f"There is no member #{number} that you can see.")


@router.post("/directory/register", response={201: Registered}, summary="Register with an invitation code")
@needs(
    DIRECTORY_REGISTER,
    checks_rights=True,
    attempts=lambda: settings.JOIN_ATTEMPTS_PER_MINUTE,
)
def register(request: HttpRequest, order: Registration):
    """Make an account and a directory entry that waits for approval; the code is used up.

    Every code that does not work is rejected with the same words.
    """
    # The code first: who has none that works learns nothing from the other fields.
    find_invitation(order.code)
    _check(validate_email, order.email, "email")
    if order.password is not None:
        _check(validate_password, order.password, "password")
    entry = accept_invitation(**order.dict())
    return Status(201, {"number": entry.member_id, "member": entry.person.member_id, "status": entry.status})


@router.get("/directory/invitations", response=InvitationPage, summary="List invitations")
@needs(INVITATIONS_READ, staff=["groups.view_communityinvitation"], checks_rights=True)
def list_invitations(
    request: HttpRequest,
    response: HttpResponse,
    status: Literal[tuple(InvitationStatus.values)] | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """Your invitations, newest first; those of everyone for staff who may see them."""
    everyone = request.auth.member.is_staff
    mine = None if everyone else _own_entry(request).member_id
    position = PageCursor("invitations", (mine, status))
    rows = find_invitations(created_by=mine, status=status, after=position.read(cursor), at_most=limit + 1)
    page = paginate(request, response, position, rows, limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_invitation(row) for row in page["items"]]}


@router.post("/directory/invitations", response={201: InvitationsMade}, summary="Invite people")
@needs(INVITATIONS_WRITE, staff=["groups.add_communityinvitation"], checks_rights=True)
def invite(request: HttpRequest, order: InvitationOrder):
    """Make invitations, all of them or none. Only so many are possible in 24 hours.

    Their codes are in this answer only: keep them until they are sent.
    """
    if order.created_by is not None:
        request.auth.need("groups.add_communityinvitation")
        inviter = CommunityMember.objects.present().filter(member_id=f"#{order.created_by}").first()
        if inviter is None:
            raise InvalidValue(f"There is no member #{order.created_by}.", field="created_by")
    else:
        inviter = _own_entry(request)
    made = create_invitations(
        created_by=inviter,
        telegram_usernames=order.telegram_usernames,
        lasts=timedelta(days=order.days) if order.days else None,
        actor=request.auth.member,
    )
    return Status(201, {"items": [_invitation_made(each) for each in made]})


@router.post("/directory/invitations/{invitation_id}/cancel", response=Invitation, summary="Cancel an invitation")
@needs(INVITATIONS_WRITE, staff=["groups.change_communityinvitation"], checks_rights=True)
def cancel_invitation(request: HttpRequest, invitation_id: uuid.UUID, order: Reason | None = None):
    """Make a code worthless: one of your own, or for staff anyone's."""
    invitation = _invitation_to_change(request, invitation_id)
    return _invitation(cancel(invitation=invitation, actor=request.auth.member, reason=order.reason if order else ""))


@router.post("/directory/invitations/{invitation_id}/code", response=InvitationMade, summary="Make a new code")
@needs(INVITATIONS_WRITE, staff=["groups.change_communityinvitation"], checks_rights=True)
def renew_invitation_code(request: HttpRequest, invitation_id: uuid.UUID, order: NewCode | None = None):
    """Give a pending invitation a new code and a new expiry: one of your own, or for staff anyone's.

    The code before it stops working at once. The new one is in this answer only.
    """
    invitation = _invitation_to_change(request, invitation_id)
    lasts = timedelta(days=order.days) if order and order.days else None
    return _invitation_made(renew_code(invitation=invitation, lasts=lasts, actor=request.auth.member))


def _may_look(request: HttpRequest) -> bool:
    """Whether the caller is staff who see everyone. Raises NotAllowed for who sees no one."""
    caller = request.auth
    if caller.member.is_staff:
        return True
    if not may_see_directory(caller.member):
        raise NotAllowed("Only active members can see the directory.")
    return False


def _invitation_to_change(request: HttpRequest, invitation_id: uuid.UUID) -> CommunityInvitation:
    """One of the caller's own invitations, or for staff anyone's. Raises Http404."""
    rows = CommunityInvitation.objects.filter(pk=invitation_id)
    if not request.auth.member.is_staff:
        rows = rows.filter(created_by__person=request.auth.member.pk)
    if (invitation := rows.first()) is None:
        raise Http404("There is no such invitation that you can change.")
    return invitation


def _own_entry(request: HttpRequest) -> CommunityMember:
    entry = CommunityMember.objects.present().filter(person=request.auth.member.pk).first()
    if entry is None:
        raise NotAllowed("Only a member of the directory can invite.")
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
        **{name: getattr(invitation, name) for name in ("status", "expires_at", "accepted_at", "created_at")},
    }


def _invitation_made(invitation: CommunityInvitation) -> dict:
    return _invitation(invitation) | {"code": invitation.spelled_code, "address": address_to_send(invitation)}
