"""The inbox of a member of staff: notifications, and the access requests to decide on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from unfold.widgets import UnfoldAdminTextareaWidget

from fallback.admin.base import member_of, rights_of
from fallback.models import AccessRequest, Notification
from fallback.models.choices import AccessRequestStatus, NotificationKind, ProjectRole
from fallback.rules import ACCESS_MESSAGE_LENGTH, SNOOZE_DAYS
from fallback.selectors.inbox import awake, notifications_in_inbox
from fallback.selectors.rights import Right
from fallback.services.access import decide_access_request
from fallback.services.notifications import mark_notifications_read, snooze_notification
from groups.models import Member
from missionsite.common.accounts.identity import require_identity
from missionsite.common.admin import ActionForm
from missionsite.common.admin.actions import NotFound, post_action, valid_values
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import format_datetime
from missionsite.common.errors import NotAllowed
from missionsite.common.interfaces import notification_kinds

PER_PAGE = 100
# More are shown as "99+".
BADGE_LIMIT = 99


class AccessForm(ActionForm):
    message = forms.CharField(
        label=_("Message"),
        max_length=ACCESS_MESSAGE_LENGTH,
        required=False,
        help_text=_("Shown to the maintainers of the project."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class SnoozeForm(forms.Form):
    notification = forms.CharField(max_length=26)
    days = forms.TypedChoiceField(choices=[(days, str(days)) for days in SNOOZE_DAYS], coerce=int)


class DecisionForm(forms.Form):
    """role: empty declines the request."""

    role = forms.ChoiceField(choices=[("", ""), *ProjectRole.choices], required=False)


@require_GET
def unread_view(request: HttpRequest) -> HttpResponse:
    """The number of unread notifications as JSON, for the menu of every page; an empty text if there is none."""
    mine = Notification.objects.filter(member=member_of(request), read_at=None)
    unread = awake(mine, timezone.now()).order_by()
    number = unread.values("pk")[: BADGE_LIMIT + 1].count()
    return JsonResponse({"unread": f"{BADGE_LIMIT}+" if number > BADGE_LIMIT else str(number or "")})


def inbox_view(request: HttpRequest) -> HttpResponse:
    """The latest notifications of the user, and the pending requests of the projects that the user maintains."""
    member, rights = member_of(request), rights_of(request)
    listed = notifications_in_inbox(member)
    found = awake(listed, timezone.now())[:PER_PAGE]
    requests = (
        AccessRequest.objects.filter(rights.access_filter(path="project__"), status=AccessRequestStatus.PENDING)
        .exclude(member=member)
        .select_related("project", "member")
        .order_by("created_at", "id")[:PER_PAGE]
    )
    named = {name for each in found if (name := each.payload.get("deputy_for"))}
    absent = {each.member_id: each.display_name for each in Member.objects.filter(member_id__in=named)} if named else {}
    context = {
        "title": gettext("Inbox"),
        "notifications": [_notification(each, absent) for each in found],
        "may_hand_over": rights.in_any_project(Right.MAINTAIN),
        "requests": [{"request": each, "roles": rights.grantable_roles(each.project)} for each in requests],
        "snoozed": listed.filter(snoozed_until__gt=timezone.now()).count(),
        "snoozes": [
            {
                "days": days,
                "text": ngettext("Snooze {number} day", "Snooze {number} days", days).format(number=days),
            }
            for days in SNOOZE_DAYS
        ],
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "fallback/inbox.html", {**admin.site.each_context(request), **context})


def _notification(notification: Notification, absent: Mapping[str, str]) -> dict:
    project = notification.project
    kinds = dict(NotificationKind.choices) | notification_kinds()
    address = ""
    if str(path := notification.payload.get("url", "")).startswith("/admin/"):
        # Of another app.
        address = path
    elif project and notification.kind == NotificationKind.PROPOSAL_WAITING:
        address = f"{reverse('admin:fallback_review')}?project={project.pk}"
    elif notification.kind == NotificationKind.DEPUTY_NAMED:
        address = reverse("admin:fallback_absences")
    elif notification.kind == NotificationKind.REVIEW_REQUESTED and (item := notification.payload.get("item")):
        address = reverse("admin:fallback_missionfallbackitem_change", args=[item])
    elif item := notification.payload.get("item"):
        address = reverse("admin:fallback_missionfallbackitem_comments", args=[item])
    elif notification.kind == NotificationKind.MENTION and notification.mission_id:
        address = reverse("admin:fallback_mission_comments", args=[notification.mission_id])
    elif template := notification.payload.get("template"):
        address = reverse("admin:fallback_missionfallbacktemplate_change", args=[template])
    elif run := notification.payload.get("run"):
        address = reverse("admin:fallback_missionfallbackrun_change", args=[run])
    elif notification.mission_id:
        address = reverse("admin:fallback_mission_change", args=[notification.mission_id])
    elif project:
        address = reverse("admin:fallback_project_change", args=[project.pk])
    own = notification.kind in NotificationKind.values
    return {
        "id": notification.pk,
        "kind": kinds.get(notification.kind, ""),
        # Titles of this app are stored in English.
        "title": gettext(notification.title) if own else notification.title,
        "project": project.name if project else "",
        "deputy_for": absent.get(notification.payload.get("deputy_for", ""), ""),
        "url": address,
        "created_at": notification.created_at,
        "is_unread": notification.read_at is None,
    }


def _back(**parts: str) -> str:
    return reverse("admin:fallback_inbox")


@post_action(back=_back)
def read_view(request: HttpRequest) -> FormResult:
    """Mark notifications as read: the given one, or all."""
    given = request.POST.getlist("notification")
    number = mark_notifications_read(actor=member_of(request), keys=given or None)
    return FormResult(_back(), gettext("{number} marked as read.").format(number=number))


@post_action(back=_back)
def snooze_view(request: HttpRequest) -> FormResult:
    """Hide a notification for some days."""
    values = valid_values(SnoozeForm(request.POST), with_label=True)
    until = timezone.now() + timedelta(days=values["days"])
    if not snooze_notification(actor=member_of(request), key=values["notification"], until=until):
        raise NotFound(gettext("Notification not found."))
    return FormResult(_back(), gettext("Snoozed until {when}.").format(when=format_datetime(until)))


@post_action(back=_back)
def decide_view(request: HttpRequest, request_id: str) -> FormResult:
    """Approve an access request with a role, or decline it."""
    rights = rights_of(request)
    visible = rights.project_filter(Right.VIEW, path="project__")
    found = AccessRequest.objects.filter(visible, pk=request_id).select_related("project", "member").first()
    if found is None:
        raise Http404(gettext("Access request not found."))
    grantable = rights.grantable_roles(found.project)
    if not grantable:
        rights.check(Right.MAINTAIN, found.project)
    role = valid_values(DecisionForm(request.POST), with_label=True)["role"]
    if role and role not in dict(grantable):
        raise NotAllowed(gettext("Only maintainers give this role. Choose a lower one, or leave the decision to them."))
    if role:
        require_identity(request)
    decide_access_request(actor=member_of(request), request=found, role=role)
    message = gettext("Access granted to {member}.") if role else gettext("Request of {member} declined.")
    return FormResult(_back(), message.format(member=found.member.display_name))
