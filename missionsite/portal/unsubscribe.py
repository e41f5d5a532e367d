"""The unsubscribe page, linked from every unsolicited message. Source: RFC 8058."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from engagement.models import UserProfile
from engagement.services.profiles import opt_in, opt_out, update_profile
from engagement.services.unsubscribe import member_of
from fallback.services.notification_emails import member_of as notified_member_of
from fallback.services.preferences import unsubscribe_from_emails
from missionsite.portal.forms import TopicsForm
from missionsite.portal.page import hide_referrer, page, render_page

# Sent by the button that subscribes again. Any other POST unsubscribes: mail programs send List-Unsubscribe=One-Click.
UNDO = "undo"
# Sent by the button below the topics.
SAVE = "save_topics"


@csrf_exempt
@hide_referrer
@page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page, or unsubscribe on POST. The token identifies the member, without a session.

    The page does not show a name, since the message may have been forwarded.
    """
    member = member_of(token)
    if member is None and (notified := notified_member_of(token)):
        if request.method == "POST":
            unsubscribe_from_emails(actor=notified)
        return render_page(request, "notification_unsubscribe", {"done": request.method == "POST", "token": token})
    if member is None:
        return render_page(request, "unsubscribe_rejected", {"return_to": reverse("portal:join")}, status=404)
    done = ""
    profile = UserProfile.objects.get(pk=member.pk)
    form = TopicsForm(initial=TopicsForm.initial_of(profile))
    if request.method == "POST" and SAVE in request.POST:
        form = TopicsForm(request.POST)
        if form.is_valid():
            profile = update_profile(actor=member, member=member, **form.changes())
            done = "saved"
        is_unsubscribed = profile.reengagement_opt_out
    elif request.method == "POST":
        undo = UNDO in request.POST
        change, done = (opt_in, "in") if undo else (opt_out, "out")
        is_unsubscribed = change(actor=member, member=member).reengagement_opt_out
    else:
        is_unsubscribed = profile.reengagement_opt_out
    context = {"is_unsubscribed": is_unsubscribed, "done": done, "token": token, "form": form}
    return render_page(request, "unsubscribe", context)
