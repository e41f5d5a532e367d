"""The API of absences: who is absent, and who stands in."""

from datetime import date, datetime

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field

from fallback.api.base import ULID, StrictSchema, fields_of, router
from fallback.models import MemberAbsence
from fallback.scopes import INBOX_READ, INBOX_WRITE
from fallback.selectors.absences import absences_of, all_absences
from fallback.selectors.rights import Right, Rights
from fallback.services.absences import add_absence, end_absence
from groups.models import Member
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import needs
from missionsite.common.api.problems import InputRejected
from missionsite.common.errors import NotAllowed

AbsenceKey = Path(..., description="Id of the absence.", examples=[ULID], max_length=26)
PERSON = "FE-P-00007"
# Listed, the earliest ones.
MOST = 200


class AbsenceOut(Schema):
    """An absence. member, deputy: member IDs. ends_at: exclusive."""

    id: str = Field(examples=[ULID])
    member: str = Field(examples=[PERSON])
    deputy: str = Field(examples=["FE-P-00009"])
    starts_at: datetime = Field(examples=["2026-12-21T00:00:00Z"])
    ends_at: datetime = Field(examples=["2027-01-04T00:00:00Z"])


class NewAbsence(StrictSchema):
    deputy: str = Field(max_length=32, description="Member ID.", examples=["FE-P-00009"])
    first: date = Field(description="First day, in the time zone of the site.", examples=["2026-12-21"])
    last: date = Field(description="Last day.", examples=["2027-01-03"])
    member: str = Field(
        "",
        max_length=32,
        description="Member ID of the absent member, for administrators; empty for you.",
        examples=[""],
    )


@router.get("/absences", response=list[AbsenceOut], tags=["absences"], summary="List absences")
@needs(INBOX_READ, checks_rights=True)
def list_absences(request: SiteRequest) -> list[dict]:
    """Your absences that have not ended, and those in which you are deputy; for administrators those of all members."""
    at, member = timezone.now(), request.auth.member
    rows = all_absences(at) if _manages_all(request) else absences_of(member, at)
    return [_out(each) for each in rows[:MOST]]


@router.post("/absences", response={201: AbsenceOut}, tags=["absences"], summary="Enter an absence")
@needs(INBOX_WRITE, checks_rights=True)
def enter_absence(request: SiteRequest, body: NewAbsence) -> Status:
    """Name a deputy for some days. The deputy is notified, and decides what you may decide."""
    actor = request.auth.member
    member = _member(body.member, "member") if body.member else actor
    if member.pk != actor.pk and not _manages_all(request):
        raise NotAllowed(gettext("Only administrators enter absences of others."))
    absence = add_absence(
        actor=actor, member=member, deputy=_member(body.deputy, "deputy"), first=body.first, last=body.last
    )
    return Status(201, _out(absence))


@router.post("/absences/{absence}/end", response=AbsenceOut, tags=["absences"], summary="End an absence")
@needs(INBOX_WRITE, checks_rights=True)
def end_one_absence(request: SiteRequest, absence: str = AbsenceKey) -> dict:
    """End an absence of yours now, or cancel one that has not begun; administrators end those of others."""
    found = MemberAbsence.objects.filter(pk=absence).select_related("member", "deputy").first()
    member = request.auth.member
    if found is None or not (_manages_all(request) or member.pk in (found.member_id, found.deputy_id)):
        raise Http404(gettext("Absence not found."))
    if found.member_id != member.pk and not _manages_all(request):
        raise NotAllowed(gettext("Only the absent member and administrators end an absence."))
    return _out(end_absence(actor=member, absence=found))


def _manages_all(request: SiteRequest) -> bool:
    return Right.MAINTAIN in Rights(request.auth.member).in_every_project


def _member(member_id: str, field: str) -> Member:
    found = Member.objects.filter(member_id=member_id.upper(), is_active=True).exclude(pk=Member.objects.system().pk)
    if member := found.first():
        return member
    raise InputRejected([{"pointer": f"/{field}", "detail": gettext("No active member has this member ID.")}])


def _out(absence: MemberAbsence) -> dict:
    return {
        **fields_of(absence, "id", "starts_at", "ends_at"),
        "member": absence.member.member_id,
        "deputy": absence.deputy.member_id,
    }
