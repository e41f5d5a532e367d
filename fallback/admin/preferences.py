"""The page of a member of staff for how notifications arrive, and the defaults of an organisation."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from fallback.admin.base import member_of
from fallback.models import Organization
from fallback.models.choices import Channel, NotificationKind
from fallback.rules import DIGEST_HOUR
from fallback.selectors.preferences import Choices, own_channels, settings_of
from fallback.services.preferences import set_notification_preferences, set_quiet_hours
from missionsite.common.admin import ActionForm
from missionsite.common.admin.actions import form_page
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.annotations import StrOrPromise
from missionsite.common.interfaces import notification_kinds

# What can be chosen for a kind, and the channels of each.
DELIVERIES: dict[str, tuple[StrOrPromise, frozenset[str]]] = {
    "inbox": (_("Inbox"), frozenset({Channel.IN_APP})),
    "inbox_email": (_("Inbox, and e-mail at once"), frozenset({Channel.IN_APP, Channel.EMAIL})),
    "inbox_digest": (_("Inbox, and daily e-mail"), frozenset({Channel.IN_APP, Channel.DIGEST})),
    "email": (_("E-mail at once only"), frozenset({Channel.EMAIL})),
    "digest": (_("Daily e-mail only"), frozenset({Channel.DIGEST})),
    "none": (_("None"), frozenset()),
}


def _kinds() -> dict[str, StrOrPromise]:
    """The kinds of this app and of the others, with their labels."""
    return dict(NotificationKind.choices) | notification_kinds()


def _name(kind: str) -> str:
    return kind.replace(".", "_")


def _kind_fields(default: StrOrPromise) -> dict[str, forms.Field]:
    choices = [("", default), *((key, label) for key, (label, _channels) in DELIVERIES.items())]
    return {
        _name(kind): forms.ChoiceField(label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget)
        for kind, label in _kinds().items()
    }


def _initial(chosen: Choices) -> dict[str, str]:
    keys = {channels: key for key, (_label, channels) in DELIVERIES.items()}
    return {_name(kind): keys.get(channels, "") for kind, channels in chosen.items()}


def chosen_channels(values: dict) -> dict[str, Collection[str] | None]:
    """The channels of each kind from the values of a form; None for the default."""
    return {
        str(kind): DELIVERIES[key][1] if (key := values[_name(kind)]) else None
        for kind in _kinds()
        if _name(kind) in values
    }


class DefaultsForm(ActionForm):
    """The channels of each kind for the members of an organisation."""

    def __init__(self, data: Any = None, *, obj: Organization | None = None, **kwargs: Any) -> None:
        initial = _initial(own_channels(organization=obj)) if obj else {}
        super().__init__(data, obj=obj, initial=initial, **kwargs)
        self.fields.update(_kind_fields(_("Default of the site: inbox")))


class PreferencesForm(forms.Form):
    """The channels of each kind, the quiet hours, and the hour of the daily e-mail of a member."""

    quiet_from = forms.TimeField(
        label=_("No e-mail from"),
        widget=UnfoldAdminTextInputWidget,
        help_text=_("In the time zone of the project's organisation."),
    )
    quiet_to = forms.TimeField(
        label=_("No e-mail until"),
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The same time twice: no quiet hours."),
    )
    digest_hour = forms.IntegerField(
        label=_("Hour of the daily e-mail"),
        min_value=DIGEST_HOUR[0],
        max_value=DIGEST_HOUR[1],
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields = _kind_fields(_("As the organisation says")) | self.fields


def preferences_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show and save how the user is notified."""
    member = member_of(request)
    times = settings_of(member)
    initial = _initial(own_channels(member=member)) | {
        "quiet_from": f"{times.quiet_from:%H:%M}",
        "quiet_to": f"{times.quiet_to:%H:%M}",
        "digest_hour": times.digest_hour,
    }
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=initial)

    def save() -> FormResult:
        values = form.cleaned_data
        set_notification_preferences(actor=member, channels=chosen_channels(values))
        set_quiet_hours(
            actor=member,
            quiet_from=values["quiet_from"],
            quiet_to=values["quiet_to"],
            digest_hour=values["digest_hour"],
        )
        return FormResult(reverse("admin:fallback_inbox"), gettext("Notification settings saved."))

    buttons = {"submit": gettext("Save"), "back": reverse("admin:fallback_inbox")}
    title = gettext("Notification settings")
    return form_page(model_admin, request, form, save, title=title, context=lambda: buttons)
