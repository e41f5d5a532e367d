"""The page where members download everything that the site stores about them."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from groups.errors import DownloadGone, JobEnded
from groups.services.own_data_jobs import kept_until, latest_own_data, open_own_data, start_own_data
from groups.services.people_jobs import cancel_job
from missionsite.common.accounts.identity import is_identity_confirmed, prompt_for_identity
from missionsite.common.downloads import download_file
from missionsite.portal.page import current_member, member_page, render_page


@member_page
def own_data(request: HttpRequest) -> HttpResponse:
    """Show how far the collection is, and the link; a POST starts it, after a proof of identity, or cancels it."""
    member = current_member(request)
    if request.method == "POST":
        if "cancel" in request.POST:
            try:
                if job := latest_own_data(member):
                    cancel_job(actor=member, job=job)
            except JobEnded:
                messages.error(request, _("It had already ended."))
            return redirect("portal:own_data")
        if prompt := prompt_for_identity(request, then=reverse("portal:own_data")):
            return prompt
        start_own_data(actor=member)
        return redirect("portal:own_data")
    job = latest_own_data(member)
    context = {
        "is_confirmed": is_identity_confirmed(request),
        "job": job,
        "until": kept_until(job) if job else None,
    }
    return render_page(request, "own_data", context)


@member_page
@require_safe
def own_data_file(request: HttpRequest, job: UUID) -> HttpResponse:
    """Download the collected data, with a recent proof of identity."""
    if prompt := prompt_for_identity(request, then=reverse("portal:own_data")):
        return prompt
    member = current_member(request)
    try:
        file = open_own_data(member=member, job_id=job)
    except DownloadGone:
        messages.error(request, _("This download is not there any more. Collect your data again."))
        return redirect("portal:own_data")
    name = f"{member.member_id}-{timezone.now():%Y-%m-%d}.zip"
    return cast(HttpResponse, download_file(lambda: file, name=name, content_type="application/zip"))
