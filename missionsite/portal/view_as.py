"""The end of viewing the site as another member."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from missionsite.common.accounts.view_as import VIEW_AS, stop_viewing
from missionsite.portal.page import page


@page
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """See the site as oneself again."""
    if request.user.is_authenticated and VIEW_AS in request.session:
        stop_viewing(request, "stop")
        messages.success(request, _("You see the site as yourself again."))
    return redirect("admin:index")
