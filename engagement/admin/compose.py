"""Page that composes an announcement for the members of a directory list."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from engagement.admin.base import ANNOUNCE
from engagement.admin.preview import preview
from engagement.errors import ParameterMissing, ParameterMiswritten
from engagement.rules import Locale, Topic
from engagement.selectors.announcements import SKIP_REASONS, Audience, audience_of, with_reason
from engagement.services.announcements import announce
from engagement.services.rendering import samples
from engagement.services.templates import check_parameters
from groups.admin.directory_files import rows_of_list
from groups.models import CommunityMember, Member
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import form_page
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import format_number

# Message type whose parameters an announcement can use.
KEY = "announcement"
# Number of skipped members that are listed by name for each reason.
NAMED = 50
LANGUAGES = ((Locale.EN, "en"), (Locale.PT_BR, "pt"))


def _subject(**options: Any) -> forms.CharField:
    return forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}), **options)


def _body(**options: Any) -> forms.CharField:
    return forms.CharField(max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}), **options)


class ComposeForm(forms.Form):
    """Texts and time of an announcement. English is required."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("Shown in the back office only."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    topic = forms.ChoiceField(
        label=_("Topic"),
        choices=Topic.choices,
        required=False,
        initial=Topic.NEWS,
        help_text=_("Members who do not want this topic are skipped."),
        widget=UnfoldAdminSelectWidget,
    )
    subject_en = _subject(label=_("Subject (English)"))
    body_en = _body(label=_("Text (English)"), help_text=_("Use {{ name }} for the member's name."))
    subject_pt = _subject(label=_("Subject (Portuguese)"), required=False)
    body_pt = _body(
        label=_("Text (Portuguese)"),
        required=False,
        help_text=_("If empty, members who chose Portuguese receive the English text."),
    )
    when = forms.SplitDateTimeField(
        label=_("When"),
        required=False,
        help_text=_("If empty, the announcement is sent now."),
        widget=UnfoldAdminSplitDateTimeWidget,
    )

    per_hour = forms.IntegerField(
        label=_("Messages per hour"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        initial=lambda: settings.ENGAGEMENT_ANNOUNCEMENT_PER_HOUR or None,
        help_text=_("Spreads the messages over time. If empty, all are due at once."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    def clean_topic(self) -> str:
        return self.cleaned_data["topic"] or Topic.NEWS

    def clean_when(self) -> datetime | None:
        when = self.cleaned_data["when"]
        if when and when.year > 9000:
            raise forms.ValidationError(_("Choose an earlier date."))
        return when

    def clean(self) -> dict:
        super().clean()
        cleaned = self.cleaned_data
        for locale, end in LANGUAGES:
            subject, body = cleaned.get(f"subject_{end}", ""), cleaned.get(f"body_{end}", "")
            if locale != Locale.EN and bool(subject) != bool(body):
                self.add_error(
                    f"body_{end}" if subject else f"subject_{end}", _("Enter both subject and text, or neither.")
                )
            try:
                check_parameters(key=KEY, subject=subject, body=body)
            except (ParameterMissing, ParameterMiswritten) as rejection:
                self.add_error(f"{rejection.field}_{end}", rejection.message)
        return cleaned

    def texts(self) -> dict[str, tuple[str, str]]:
        """Return subject and body by locale."""
        values = self.cleaned_data
        return {
            locale.value: (values[f"subject_{end}"], values[f"body_{end}"])
            for locale, end in LANGUAGES
            if values[f"subject_{end}"]
        }


def compose_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Show the form with recipients, skipped members and previews; queue the announcement on POST."""
    if not (request.user.has_perm(ANNOUNCE) and request.user.has_perm("groups.view_communitymember")):
        raise PermissionDenied
    directory = reverse("admin:groups_communitymember_changelist")
    try:
        entries = rows_of_list(request, model_admin=cast(ModelAdmin, admin.site._registry[CommunityMember]))
    except IncorrectLookupParameters:
        messages.error(request, _("The directory does not have one of these filters. Choose the filters again."))
        return HttpResponseRedirect(directory)
    form = ComposeForm(request.POST if request.method == "POST" else None)

    def save() -> FormResult:
        values = form.cleaned_data
        made = announce(
            actor=cast(Member, request.user),
            entries=entries,
            title=values["title"],
            texts=form.texts(),
            topic=values["topic"],
            per_hour=values["per_hour"],
            audience=request.GET.urlencode(),
            expected=_expected(request),
            scheduled_for=values["when"] or timezone.now(),
        )
        if made.is_waiting:
            text = _("{title}: a second person must approve it before it is sent.").format(title=made.title)
            return FormResult(reverse("admin:engagement_announcement_change", args=[made.pk]), text)
        return FormResult(
            reverse("admin:engagement_announcement_change", args=[made.pk]),
            ngettext("{title}: {count} message queued.", "{title}: {count} messages queued.", made.recipients).format(
                title=made.title, count=format_number(made.recipients)
            ),
        )

    def context() -> dict:
        topic = _topic(form)
        counts = audience_of(entries, topic=topic)
        query = request.GET.urlencode()
        return {
            "audience": counts,
            "recipients": format_number(counts.recipients),
            "skipped": _skipped(entries, counts, topic),
            "named": NAMED,
            "found_more": getattr(request, "search_found_more", False),
            "parameters": [f"{{{{ {name} }}}}" for name in sorted(samples(KEY))],
            "previews": [_language_context(form, locale, end) for locale, end in LANGUAGES],
            "preview_url": reverse("admin:engagement_preview"),
            "key": KEY,
            "back": f"{directory}?{query}" if query else directory,
            "is_narrowed": bool(query),
        }

    return form_page(
        model_admin,
        request,
        form,
        save,
        title=_("Compose announcement"),
        template="engagement/compose.html",
        context=context,
    )


def _expected(request: HttpRequest) -> int:
    """Return the number of recipients that the page showed; -1 if it is missing."""
    try:
        return int(request.POST.get("expected", ""))
    except ValueError:
        return -1


def _topic(form: ComposeForm) -> str:
    """Return the chosen topic, also of an invalid form."""
    chosen = form["topic"].value()
    return chosen if chosen in Topic.values else Topic.NEWS


def _skipped(entries: QuerySet[CommunityMember], counts: Audience, topic: str) -> list[dict]:
    """Return the number of skipped members for each reason, and the first of them by name."""
    left_out = with_reason(entries.order_by("name", "pk"), topic=topic)
    return [
        {
            "label": label,
            "count": format_number(counts.skipped[reason]),
            "people": list(left_out.filter(reason=reason)[:NAMED]),
            "more": counts.skipped[reason] > NAMED,
        }
        for reason, label in SKIP_REASONS.items()
        if counts.skipped.get(reason)
    ]


def _language_context(form: ComposeForm, locale: Locale, end: str) -> dict:
    subject, body = (str(form[f"{name}_{end}"].value() or "") for name in ("subject", "body"))
    return {
        "label": locale.label,
        "locale": locale.value,
        "subject_name": f"subject_{end}",
        "body_name": f"body_{end}",
        "preview": preview(key=KEY, locale=locale.value, subject=subject, body=body),
    }
