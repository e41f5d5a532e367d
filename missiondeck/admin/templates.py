"""The pages of the templates of definitions of done. Items are edited as text, with their evidence indented below."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from missiondeck.admin.base import current_member
from missiondeck.models import Category, DodTemplate, EvidenceKind
from missiondeck.rules import EVIDENCE_LENGTH, ITEM_LENGTH, MAX_EVIDENCE, TEMPLATE_ITEMS
from missiondeck.services.templates import add_template, change_template
from missionsite.common.admin import ModelAdmin, ServiceForm
from missionsite.common.admin.formats import format_datetime

# How evidence is written in a line. A pull request and a file belong to one mission.
KINDS: dict[str, str] = {
    "test": EvidenceKind.TEST,
    "suite": EvidenceKind.SUITE,
    "sign-off": EvidenceKind.SIGN_OFF,
    "address": EvidenceKind.ADDRESS,
    "link": EvidenceKind.LINK,
}
FIELDS = {"functional": Category.FUNCTIONAL, "non_functional": Category.NON_FUNCTIONAL, "tests": Category.TESTS}
_HELP = _(
    "One item per line. Below an item, each line that begins with a blank is evidence: test, suite, sign-off, address"
    " or link, a colon, and its value, such as: sign-off: Delivery Lead"
)


class ItemsField(forms.CharField):
    """Items of one category with their evidence, as text."""

    def __init__(self, category: Category, **options: Any) -> None:
        self.category = category
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 8, "class": "deck-items"})
        super().__init__(label=category.label, required=False, strip=False, widget=widget, **options)

    def clean(self, value: Any) -> list[dict]:
        items: list[dict] = []
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not (text := line.strip()):
                continue
            try:
                if line[0].isspace():
                    self._add_evidence(items, text)
                else:
                    self._add_item(items, text)
            except forms.ValidationError as error:
                values = {"number": number, "message": error.message}
                raise forms.ValidationError(gettext("Line %(number)s: %(message)s") % values) from error
        return items

    def _add_item(self, items: list[dict], text: str) -> None:
        if len(text) > ITEM_LENGTH:
            raise forms.ValidationError(
                gettext("The item is longer than %(limit)s characters.") % {"limit": ITEM_LENGTH}
            )
        items.append({"text": text, "category": self.category.value, "evidence": []})

    @staticmethod
    def _add_evidence(items: list[dict], text: str) -> None:
        kind, _colon, found = (part.strip() for part in text.partition(":"))
        if not items:
            raise forms.ValidationError(gettext("Evidence needs an item above it."))
        if kind.lower() not in KINDS or not found:
            raise forms.ValidationError(
                gettext("Enter evidence as one of %(kinds)s, a colon, and its value.") % {"kinds": ", ".join(KINDS)}
            )
        if len(found) > EVIDENCE_LENGTH or len(items[-1]["evidence"]) >= MAX_EVIDENCE:
            raise forms.ValidationError(
                gettext("An item can have %(limit)s pieces of evidence of %(length)s characters.")
                % {"limit": MAX_EVIDENCE, "length": EVIDENCE_LENGTH}
            )
        items[-1]["evidence"].append({"kind": KINDS[kind.lower()], "value": found})


def as_text(items: list[dict], category: str) -> str:
    """The items of a category in the form that `ItemsField` reads."""
    names = {kind: name for name, kind in KINDS.items()}
    lines = []
    for item in items:
        if item["category"] == category:
            lines.append(item["text"])
            lines += [f"  {names[each['kind']]}: {each['value']}" for each in item["evidence"]]
    return "\n".join(lines)


class TemplateForm(ServiceForm):
    functional = ItemsField(Category.FUNCTIONAL, help_text=_HELP)
    non_functional = ItemsField(Category.NON_FUNCTIONAL)
    tests = ItemsField(Category.TESTS)

    class Meta:
        model = DodTemplate
        fields = ("name", "description", "is_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, category in FIELDS.items():
            if name in self.fields:
                self.initial[name] = as_text(self.instance.items, category)

    def clean(self) -> dict | None:
        cleaned = super().clean() or self.cleaned_data
        if sum(len(cleaned.get(name) or ()) for name in FIELDS) > TEMPLATE_ITEMS:
            raise forms.ValidationError(gettext("A template can have %(limit)s items.") % {"limit": TEMPLATE_ITEMS})
        return cleaned


@admin.register(DodTemplate)
class TemplateAdmin(ModelAdmin[DodTemplate]):
    """Templates of definitions of done, one for each kind of client."""

    form = TemplateForm
    list_display = ("name", "description", "number_of_items", "is_enabled", "changed")
    list_display_links = ("name",)
    sortable_by = ()
    ordering = ("name", "pk")
    empty_text = (
        _("No templates yet"),
        _("A template is a definition of done for a kind of client. Missions get its items with their evidence."),
    )
    add_label = _("Add template")
    fieldsets = (
        (None, {"fields": ("name", "description", "is_enabled")}),
        (_("Definition of done"), {"fields": tuple(FIELDS)}),
    )

    class Media:
        css = {"all": ("missiondeck/deck.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: DodTemplate | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("name", "description", "is_enabled", "items_shown")}),)
        return self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: DodTemplate | None = None) -> tuple:
        return ("items_shown",)

    def create(self, request: HttpRequest, values: dict) -> DodTemplate:
        own = {name: values[name] for name in ("name", "description", "is_enabled")}
        return add_template(actor=current_member(request), items=_items(values), **own)

    def update(self, request: HttpRequest, obj: DodTemplate, changes: dict) -> None:
        own = {name: value for name, value in changes.items() if name not in FIELDS}
        texts = {name: [each for each in obj.items if each["category"] == FIELDS[name]] for name in FIELDS} | changes
        if changes.keys() & FIELDS.keys():
            own["items"] = _items(texts)
        change_template(actor=current_member(request), template=obj, **own)

    @display(description=_("Items"))
    def number_of_items(self, template: DodTemplate) -> int:
        return len(template.items)

    @display(description=_("Items"))
    def items_shown(self, template: DodTemplate) -> str:
        return "\n".join(filter(None, (as_text(template.items, category) for category in Category)))

    @display(description=_("Changed"))
    def changed(self, template: DodTemplate) -> str:
        return format_datetime(template.updated_at)


def _items(values: dict) -> list[dict]:
    return [item for name in FIELDS for item in values[name]]
