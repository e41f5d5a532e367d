"""The page where members download everything that the site stores about them."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from missionsite.common.accounts.identity import is_identity_confirmed, prompt_for_identity
from missionsite.common.downloads import download_file
from missionsite.common.own_data import export_own_data
from missionsite.portal.page import current_member, member_page, render_page


@member_page
def own_data(request: HttpRequest) -> HttpResponse:
    """Explain the export; a POST with a recent proof of identity downloads it."""
    if request.method == "POST":
        if prompt := prompt_for_identity(request, then=reverse("portal:own_data")):
            return prompt
        member = current_member(request)
        name = f"{member.member_id}-{timezone.now():%Y-%m-%d}.zip"
        made = download_file(lambda: export_own_data(member), name=name, content_type="application/zip")
        return cast(HttpResponse, made)
    return render_page(request, "own_data", {"is_confirmed": is_identity_confirmed(request)})
