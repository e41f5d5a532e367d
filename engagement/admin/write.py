"""The action "Write to member": a template or a free text, with a preview, to one member."""

from typing import Any, cast

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from engagement.admin.base import ANNOUNCE
from engagement.admin.preview import preview
from engagement.errors import ParameterMissing, ParameterMiswritten
from engagement.models import EngagementMessage, MessageTemplate, UserProfile
from engagement.rules import MessageType
from engagement.selectors.blocking import why_not_written
from engagement.services.personal import PARAMETERS, usable_templates, write_to_member
from engagement.services.templates import check_parameters
from groups.models import Member
from missionsite.common.admin import Action, ActionForm


class WriteForm(ActionForm):
    """A template, or a subject and a text."""

    class Media:
        js = ("engagement/preview.js",)
        css = {"all": ("engagement/engagement.css",)}

    template = forms.ChoiceField(
        label=_("Template"),
        required=False,
        help_text=_("Sends the text of a template in the member's language. Or write your own text below."),
        widget=UnfoldAdminSelectWidget,
    )
    subject = forms.CharField(
        label=_("Subject"),
        required=False,
        max_length=200,
        help_text=_("Used for e-mail only."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    body = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=10_000,
        help_text=_("Use {{ name }} for the member's name. The unsubscribe link is added below."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )

    def __init__(self, data: Any = None, *, obj: UserProfile | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        self.templates = {str(each.pk): each for each in usable_templates(obj.user)} if obj else {}
        names = dict(MessageType.choices)
        cast(forms.ChoiceField, self.fields["template"]).choices = [
            ("", _("No template: my own text")),
            *((key, names.get(each.key, each.key)) for key, each in self.templates.items()),
        ]

    def clean(self) -> dict:
        super().clean()
        values = self.cleaned_data
        chosen: MessageTemplate | None = self.templates.get(values.get("template", ""))
        if chosen and (values.get("subject") or values.get("body")):
            self.add_error("template", _("Choose a template or write a text, not both."))
        elif chosen:
            values["subject"], values["body"] = chosen.subject, chosen.body
        elif not self.errors:
            for name in ("subject", "body"):
                if not values.get(name, "").strip():
                    self.add_error(name, _("Enter a subject and a text, or choose a template."))
        if not self.errors and not chosen:
            try:
                check_parameters(
                    key=MessageType.PERSONAL, subject=values["subject"], body=values["body"], known=PARAMETERS
                )
            except (ParameterMissing, ParameterMiswritten) as rejection:
                self.add_error(rejection.field, rejection.message)
        return values


def _write(profile: UserProfile, actor: Member, values: dict) -> EngagementMessage | None:
    return write_to_member(actor=actor, member=profile.user, subject=values["subject"], body=values["body"])


def _details(request: HttpRequest, profile: UserProfile) -> str:
    typed = {name: request.POST.get(name, "").replace("\x00", "") for name in ("subject", "body")}
    context = {
        "blocked": why_not_written(profile.user),
        "zone": profile.timezone,
        "locale": profile.locale,
        "key": MessageType.PERSONAL,
        "preview_url": reverse("admin:engagement_preview"),
        "preview": preview(key=MessageType.PERSONAL, locale=profile.locale, **typed),
    }
    return render_to_string("engagement/write.html", context)


WRITE = Action(
    name="write",
    title=_("Write to member"),
    success_message=_("message queued"),
    run=_write,
    permission=ANNOUNCE,
    form=WriteForm,
    help_text=_("Quiet hours and the frequency cap of the member apply."),
    details=_details,
    icon="edit_square",
)


def write_button(request: HttpRequest, member: Any) -> list[dict]:
    """Return the button that opens the page for a member."""
    if not (request.user.has_perm(ANNOUNCE) and request.user.has_perm("engagement.view_userprofile")):
        return []
    link = reverse("admin:engagement_userprofile_write", args=[member])
    return [{"title": WRITE.title, "icon": WRITE.icon, "link": link}]
