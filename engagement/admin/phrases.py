"""Admin page of the reply phrases, with a box that reads a text by them."""

from typing import cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from engagement.admin.base import ServiceHistory
from engagement.models import ReplyPhrase
from engagement.rules import Reading
from engagement.services.intents import current_reader
from engagement.services.phrases import FIELDS, add_phrase, change_phrase
from groups.models import Member
from missionsite.common.admin import Found, ModelAdmin, Search
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.formats import format_datetime
from missionsite.common.admin.search import FOUND_AT_MOST

# What each result of the try-it box means for a member who was sent the goodbye.
RESULTS = dict(Reading.choices) | {
    "user_message": _("Ordinary message: the member is active again"),
    Reading.COURTESY.value: _("Only a courtesy: asked again after a goodbye, otherwise an ordinary message"),
    Reading.AUTO_REPLY.value: _("Automatic reply: no effect"),
}
LONGEST = 2_000


class PhraseSearch(Search):
    """Searches the phrases for a part of their text; there are about a thousand."""

    def __init__(self) -> None:
        super().__init__("phrase", "")

    def find(self, queryset: QuerySet, term: str) -> Found:
        rows = queryset.order_by().filter(phrase__icontains=term.strip())
        ids = list(rows.values_list("pk", flat=True)[: FOUND_AT_MOST + 1])
        return Found(ids[:FOUND_AT_MOST], len(ids) > FOUND_AT_MOST)


class TryForm(forms.Form):
    text = forms.CharField(
        label=_("Text of a member"),
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def try_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Show how a text is read by the phrases in use. Nothing is stored."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = TryForm(request.POST if request.method == "POST" else None)
    result = current_reader().read(form.cleaned_data["text"]) if form.is_bound and form.is_valid() else ""
    return render_page(
        model_admin,
        request,
        "engagement/try_phrase.html",
        title=_("Try a text"),
        form=form,
        result=RESULTS.get(result, ""),
        phrases=reverse("admin:engagement_replyphrase_changelist"),
    )


@admin.register(ReplyPhrase)
class PhraseAdmin(ServiceHistory):
    """Phrases that members write, per language, and what they mean."""

    search = PhraseSearch()
    search_help_text = _("Part of a phrase")
    list_display = ("phrase_shown", "meaning", "language_shown", "match_shown", "is_enabled", "changed")
    list_display_links = ("phrase_shown",)
    list_filter = (
        ("language", ChoicesDropdownFilter),
        ("reading", ChoicesDropdownFilter),
        ("is_enabled", BooleanRadioFilter),
    )
    sortable_by = ()
    ordering = ("reading", "language", "word_list", "phrase", "pk")
    empty_text = (_("No phrases yet"), _("Without phrases, every text is an ordinary message. Add the first phrase."))
    add_label = _("Add phrase")
    readonly_fields = ("changed",)
    revertible = frozenset(FIELDS)

    def shows_every_row(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list:
        view = self._wrapped(try_view, try_view)
        return [path("try/", view, {"model_admin": self}, name="engagement_try_phrase"), *super().get_urls()]

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        trying = {"title": _("Try a text"), "icon": "science", "link": reverse("admin:engagement_try_phrase")}
        return [trying, *super().list_buttons(request)]

    def get_fieldsets(self, request: HttpRequest, obj: ReplyPhrase | None = None) -> tuple:
        fields = ("phrase", ("reading", "language"), ("match", "word_list"), "is_enabled")
        return ((None, {"fields": fields if obj is None else (*fields, "changed")}),)

    def create(self, request: HttpRequest, values: dict) -> ReplyPhrase:
        return add_phrase(actor=cast(Member, request.user), **{name: values[name] for name in FIELDS})

    def update(self, request: HttpRequest, obj: ReplyPhrase, changes: dict) -> None:
        change_phrase(actor=cast(Member, request.user), row=obj, **changes)

    # --- Columns ------------------------------------------------------------------------------

    @display(description=_("Phrase"))
    def phrase_shown(self, phrase: ReplyPhrase) -> str:
        return phrase.phrase

    @display(description=_("Meaning"))
    def meaning(self, phrase: ReplyPhrase) -> str:
        label = phrase.get_reading_display()
        return f"{label}: {phrase.word_list}" if phrase.word_list else label

    @display(description=_("Language"))
    def language_shown(self, phrase: ReplyPhrase) -> str:
        return phrase.get_language_display()

    @display(description=_("Found in"))
    def match_shown(self, phrase: ReplyPhrase) -> str:
        return phrase.get_match_display()

    @display(description=_("Changed"))
    def changed(self, phrase: ReplyPhrase) -> str:
        return format_datetime(phrase.updated_at)
