"""Admin page of message templates, with a preview and the text in the other language."""

import re
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from engagement.admin.base import CHANGE_TEMPLATE, ServiceHistory
from engagement.admin.preview import preview, preview_view
from engagement.models import MessageTemplate
from engagement.rules import Locale, MessageType
from engagement.services.rendering import samples
from engagement.services.templates import add_template, change_template, send_test
from groups.models import Member
from missionsite.common.admin import Action, ServiceForm
from missionsite.common.admin.formats import format_datetime
from missionsite.common.annotations import StrOrPromise

# Announcements have texts of their own.
KEYS = [each for each in MessageType.choices if each[0] not in (MessageType.ANNOUNCEMENT, MessageType.SEQUENCE)]


class TemplateForm(ServiceForm):
    class Meta:
        model = MessageTemplate
        fields = ("key", "locale", "subject", "body")
        widgets = {
            "subject": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            "body": UnfoldAdminTextareaWidget(attrs={"rows": 12}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"] = forms.CharField(
                label=_("Message"),
                max_length=100,
                help_text=_("A type of message, such as reminder; or sequence_ and a name, for a step of a sequence."),
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )

    def clean_key(self) -> str:
        key = self.cleaned_data["key"]
        if key not in dict(KEYS) and not re.fullmatch(r"sequence_[a-z0-9_]{1,80}", key):
            raise forms.ValidationError(
                _("There is no such message. Enter one of: {names}; or sequence_ and a name.").format(
                    names=", ".join(dict(KEYS))
                )
            )
        return key


@admin.register(MessageTemplate)
class TemplateAdmin(ServiceHistory):
    """Templates of every message type in each language."""

    form = TemplateForm
    change_form_template = "engagement/template_form.html"
    list_display = ("message", "language", "subject_shown", "asks_for", "changed")
    list_display_links = ("message",)
    list_filter = (("locale", ChoicesDropdownFilter),)
    sortable_by = ()
    ordering = ("key", "locale", "pk")
    empty_text = (_("No templates yet"), _("A message without a template fails. Add the first template."))
    add_label = _("Add template")
    readonly_fields = ("message", "language", "asks_for", "changed")
    revertible = frozenset({"subject", "body"})
    object_actions = (
        Action(
            name="test",
            title=_("Send a test to me"),
            success_message=_("test queued to your own address"),
            run=lambda template, actor, values: send_test(actor=actor, template=template),
            permission=CHANGE_TEMPLATE,
            help_text=_(
                "Sends the saved text with sample values to your own address, marked as a test, at any time of the day."
                " It does not count in the measures or towards the frequency cap."
            ),
            icon="outgoing_mail",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageTemplate]:
        return super().get_queryset(request).filter(announcement=None)

    def shows_every_row(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list:
        view = self._wrapped(preview_view, preview_view)
        return [path("preview/", view, {"model_admin": self}, name="engagement_preview"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: MessageTemplate | None = None) -> tuple:
        if obj is None:
            return ((None, {"fields": (("key", "locale"), "subject", "body")}),)
        return ((None, {"fields": (("message", "language"), "subject", "body", "changed")}),)

    def create(self, request: HttpRequest, values: dict) -> MessageTemplate:
        wanted = {name: values[name] for name in ("key", "locale", "subject", "body")}
        return add_template(actor=cast(Member, request.user), **wanted)

    def update(self, request: HttpRequest, obj: MessageTemplate, changes: dict) -> None:
        change_template(actor=cast(Member, request.user), template=obj, **changes)

    def render_change_form(
        self, request: HttpRequest, context: dict, *args: Any, obj: MessageTemplate | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Add the preview, the available parameters and the other language to the form."""
        form = context["adminform"].form
        key = obj.key if obj else str(form["key"].value() or KEYS[0][0]) if "key" in form.fields else ""
        locale = (
            obj.locale if obj else str(form["locale"].value() or Locale.EN) if "locale" in form.fields else Locale.EN
        )
        typed = {
            name: str(form[name].value() or "") if name in form.fields else getattr(obj, name, "")
            for name in ("subject", "body")
        }
        context |= {
            "template_key": key,
            "template_locale": locale,
            "form_id": f"{self.opts.model_name}_form",
            "preview_url": reverse("admin:engagement_preview"),
            "preview": preview(key=key, locale=locale, **typed),
            "parameters": [(f"{{{{ {name} }}}}", sample) for name, sample in sorted(samples(key).items())],
            "others": self._others(request, obj) if obj else [],
        }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _others(self, request: HttpRequest, obj: MessageTemplate) -> list[dict]:
        found = {each.locale: each for each in MessageTemplate.objects.filter(key=obj.key).exclude(pk=obj.pk)}
        add = reverse("admin:engagement_messagetemplate_add")
        others = []
        for locale, label in Locale.choices:
            if locale == obj.locale:
                continue
            other = found.get(locale)
            others.append(
                {
                    "locale": locale,
                    "label": label,
                    "text": other,
                    "link": reverse("admin:engagement_messagetemplate_change", args=[other.pk]) if other else "",
                    "add": f"{add}?{urlencode({'key': obj.key, 'locale': locale})}"
                    if not other and self.has_add_permission(request)
                    else "",
                    "preview": preview(key=obj.key, locale=locale, subject=other.subject, body=other.body)
                    if other
                    else None,
                }
            )
        return others

    # --- Columns and fields -------------------------------------------------------------------

    def describe(self, obj: MessageTemplate) -> str:
        return f"{self.message(obj)} · {obj.get_locale_display()}"

    @display(description=_("Message"))
    def message(self, template: MessageTemplate) -> StrOrPromise:
        return dict(MessageType.choices).get(template.key, template.key)

    @display(description=_("Language"))
    def language(self, template: MessageTemplate) -> str:
        return template.get_locale_display()

    @display(description=_("Subject"))
    def subject_shown(self, template: MessageTemplate) -> str:
        return Truncator(template.subject).chars(80)

    @display(description=_("Parameters"))
    def asks_for(self, template: MessageTemplate) -> str:
        return ", ".join(sorted(samples(template.key)))

    @display(description=_("Changed"))
    def changed(self, template: MessageTemplate) -> str:
        return format_datetime(template.updated_at)
