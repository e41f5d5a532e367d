"""E-mails to members about their join requests, in their language: decided requests and invitations to missions."""

from datetime import UTC
from hashlib import sha256

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from engagement.models import UserProfile
from groups.models import Event, JoinRequest

TASK = "send_join_notice"
# Subject and first sentence, by the type of the event.
NOTICES: dict[str, tuple[Promise, Promise]] = {
    "join_request.accepted": (
        _("You are a member of “%(mission)s”"),
        _("Your request to join “%(mission)s” was accepted."),
    ),
    "join_request.declined": (
        _("Your request for “%(mission)s”"),
        _("Your request to join “%(mission)s” was declined."),
    ),
    "join_request.queued": (
        _("You are on the waiting list of “%(mission)s”"),
        _("Your request to join “%(mission)s” was accepted. It is full; you get an e-mail when a place is free."),
    ),
    "join_request.offered": (
        _("A place in “%(mission)s” is offered to you"),
        _("A place in “%(mission)s” is free. Accept it until %(until)s UTC on its page."),
    ),
    "join_request.expired": (
        _("The offer of a place in “%(mission)s” has expired"),
        _("The place in “%(mission)s” is offered to the next member. You can enter the waiting list again."),
    ),
    "join_request.invited": (
        _("You are invited to “%(mission)s”"),
        _("You are invited to join “%(mission)s”. Accept or decline on its page."),
    ),
}


def on_event(sender: object, event: Event, **_signal: object) -> None:
    """Queue the e-mail about an event, in its transaction, unless the member caused it."""
    if event.type in NOTICES and event.member_id and event.actor_id != event.member_id:
        app.configure_task(TASK, allow_unknown=False).defer(
            request_id=event.payload["join_request"], event_type=event.type
        )


def send_notice(*, request_id: str, event_type: str) -> str:
    """The job: send the e-mail; returns the outcome. A repeated one has the same Message-ID."""
    request = JoinRequest.objects.select_related("member", "group").filter(pk=request_id).first()
    if request is None or not request.member.is_active or not request.member.email:
        return "gone"
    locale = UserProfile.objects.values_list("locale", flat=True).get(pk=request.member_id)
    with translation.override(locale.lower()):
        notice_of(request, event_type).send()
    return "sent"


def notice_of(request: JoinRequest, event_type: str) -> EmailMessage:
    """Return the e-mail in the active language. Names are on one line, so they cannot add headers."""
    subject, sentence = NOTICES[event_type]
    until = date_format(request.offered_until.astimezone(UTC), "DATETIME_FORMAT") if request.offered_until else ""
    names = {"mission": request.group.name, "until": until}
    text = request.message if event_type == "join_request.invited" else request.reason
    address = f"{settings.SITE_URL}{reverse('portal:mission', args=[request.group.stable_id])}"
    key = sha256(f"{request.pk} {event_type}".encode()).hexdigest()[:40]
    return EmailMessage(
        " ".join((str(subject) % names).split()),
        "\n\n".join(filter(None, (str(sentence) % names, text, address))),
        settings.DEFAULT_FROM_EMAIL,
        [request.member.email],
        headers={"Message-ID": f"<{key}@notices.missionsite>", "Auto-Submitted": "auto-generated"},
    )
