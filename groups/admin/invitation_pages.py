"""Pages that show codes of invitations: after creating them, to send one by e-mail, and to hand them out.

Codes are in no message, session or row. Pages that need them again get them from the form of the page before, and
accept only codes of invitations that still work.
"""

import csv
from io import StringIO
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext

from groups.admin.base import current_member
from groups.admin.invitation_forms import SendForm
from groups.models import CommunityInvitation
from groups.models.invitations import digest_of_code, plain_code
from groups.rules import MAX_INVITATIONS, InvitationStatus
from groups.services.invitation_mail import send_invitation
from groups.services.invitations import address_to_send
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormResult, submit_form_once
from missionsite.common.admin.formats import format_datetime
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download
from missionsite.common.qr import qr_svg

if TYPE_CHECKING:
    from groups.admin.invitations import InvitationAdmin

INVITE_MANY = "groups.invite_many"
COLUMNS = ("name", "email", "telegram_username", "code", "address", "expires_at")


def codes_page(
    pages: "InvitationAdmin",
    request: HttpRequest,
    invitations: list[CommunityInvitation],
    *,
    heading: str,
    form: SendForm | None = None,
    mailed: int = 0,
    sent_to: str = "",
) -> HttpResponse:
    """Return the page that shows codes once. form: of the e-mail, with its errors. mailed: sent in the background."""
    made = [(invitation, address_to_send(invitation)) for invitation in invitations]
    one = invitations[0] if len(invitations) == 1 and not mailed else None
    response = render_page(
        pages,
        request,
        "groups/invitation_codes.html",
        title=heading,
        made=made,
        one=one,
        qr=qr_svg(made[0][1], label=gettext("QR code of the address")) if one else "",
        expires=format_datetime(invitations[0].expires_at) if invitations else "",
        lines="\n".join(f"{invitation.for_whom}\t{address}" for invitation, address in made),
        codes="\n".join(invitation.code or "" for invitation in invitations),
        send_form=form or SendForm(obj=one) if one else None,
        mailed=mailed,
        sent_to=sent_to,
        invites=pages.has_add_permission(request),
        invites_many=request.user.has_perm(INVITE_MANY),
    )
    add_never_cache_headers(response)
    return response


def send_view(request: HttpRequest, pages: "InvitationAdmin") -> HttpResponse:
    """Send the address of one invitation, whose code is in the form."""
    found, rejected = _posted(request, pages)
    if rejected or len(found) != 1:
        return rejected or _no_codes(request)
    invitation = found[0]
    form = SendForm(request.POST, obj=invitation)
    heading = gettext("Invitation for %(name)s") % {"name": invitation.for_whom}

    def save() -> FormResult:
        email = form.cleaned_data["email"]
        sent = send_invitation(actor=current_member(request), invitation=invitation, email=email)
        page = codes_page(pages, request, [sent], heading=heading, sent_to=email)
        return FormResult(reverse("admin:groups_communityinvitation_change", args=[invitation.pk]), page=page)

    response = submit_form_once(request, form, save, already_saved=gettext("This was already sent."))
    return response or codes_page(pages, request, found, heading=heading, form=form)


def hand_out_view(request: HttpRequest, pages: "InvitationAdmin") -> HttpResponseBase:
    """Return the codes in the form as a CSV file or as a page to print, with a QR code each."""
    found, rejected = _posted(request, pages)
    if rejected:
        return rejected
    if request.POST.get("format") == "csv":
        return download(lambda: _csv(found), name="invitations.csv", content_type="text/csv; charset=utf-8")
    cards = [
        (invitation, address, qr_svg(address, label=address))
        for invitation, address in ((each, address_to_send(each)) for each in found)
    ]
    response = render_page(pages, request, "groups/invitation_hand_out.html", title=gettext("Hand out"), cards=cards)
    add_never_cache_headers(response)
    return response


def _csv(invitations: list[CommunityInvitation]):
    """Yield the lines of the file, with a byte order mark, by which spreadsheets recognise UTF-8."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for invitation in invitations:
        values = (
            invitation.invited_name,
            invitation.invited_email,
            invitation.invited_telegram_username,
            invitation.spelled_code,
            address_to_send(invitation),
            invitation.expires_at,
        )
        writer.writerow([safe_cell(value) for value in values])
    yield "\ufeff"
    yield file.getvalue()


def _posted(request: HttpRequest, pages: "InvitationAdmin") -> tuple[list[CommunityInvitation], HttpResponse | None]:
    """Return the pending invitations of the posted codes, in their order, or the response to an invalid request."""
    if request.method != "POST":
        return [], HttpResponseNotAllowed(["POST"])
    if not pages.has_add_permission(request):
        raise PermissionDenied
    codes = list(dict.fromkeys(map(plain_code, request.POST.get("codes", "").split())))[:MAX_INVITATIONS]
    digests = {digest: code for code in codes if (digest := digest_of_code(code))}
    rows = CommunityInvitation.objects.filter(invitation_code__in=digests, status=InvitationStatus.PENDING)
    by_digest = {row.invitation_code: row for row in rows.select_related("created_by")}
    found = []
    for digest, code in digests.items():
        if row := by_digest.get(digest):
            row.code = code
            found.append(row)
    return (found, None) if found else ([], _no_codes(request))


def _no_codes(request: HttpRequest) -> HttpResponse:
    messages.error(request, gettext("These codes no longer work. Open the invitation and create a new code."))
    return HttpResponseRedirect(reverse("admin:groups_communityinvitation_changelist"))
