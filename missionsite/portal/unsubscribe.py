"""The way out of messages no one asked for, by the link that stands in each of them. Source: RFC 8058."""

from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from engagement.models import UserProfile
from engagement.services.profiles import opt_in, opt_out
from engagement.services.unsubscribe import member_of
from missionsite.portal.page import View, page, show

# What the button for coming back sends. Any other POST opts out: a mailbox sends List-Unsubscribe=One-Click.
UNDO = "undo"


def _keeps_its_address(view: View) -> View:
    """The address stands in no Referer, not even of this site's own pages: who has it decides for the member."""

    @wraps(view)
    def answer(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        # Not no-referrer: then a browser says nothing of where a form comes from, and the site rejects the form.
        response["Referrer-Policy"] = "strict-origin"
        return response

    return answer


@csrf_exempt
@_keeps_its_address
@page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the way out, or take it by a POST. No session is asked for: the link is the member's own.

    The page names no one: a message may have been passed on.
    """
    member = member_of(token)
    if member is None:
        return show(request, "unsubscribe_rejected", {"return_to": reverse("portal:join")}, status=404)
    done = ""
    if request.method == "POST":
        is_back = UNDO in request.POST
        change, done = (opt_in, "in") if is_back else (opt_out, "out")
        is_out = change(member=member, actor=member).reengagement_opt_out
    else:
        is_out = UserProfile.objects.values_list("reengagement_opt_out", flat=True).get(pk=member.pk)
    return show(request, "unsubscribe", {"is_out": is_out, "done": done, "token": token})
