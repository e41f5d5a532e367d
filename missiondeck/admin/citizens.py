"""The pages of the citizens."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from missiondeck.admin.base import current_member
from missiondeck.models import Citizen
from missiondeck.services.citizens import FIELDS, add_citizen, change_citizen
from missionsite.common.admin import ModelAdmin, ServiceForm


class CitizenForm(ServiceForm):
    class Meta:
        model = Citizen
        fields = ("key", *FIELDS)


@admin.register(Citizen)
class CitizenAdmin(ModelAdmin[Citizen]):
    """Citizens that work on client missions."""

    form = CitizenForm
    list_display = ("name", "key", "role", "position", "is_enabled")
    list_display_links = ("name",)
    sortable_by = ()
    ordering = ("position", "name", "key")
    noun_plural = _("citizens")
    empty_text = (_("No citizens yet"), _("Each mission has a chat with each citizen. Add the first one."))
    add_label = _("Add citizen")
    fieldsets = ((None, {"fields": ("name", "key", "role", "position", "is_enabled")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Citizen | None = None) -> tuple:
        return ("key",) if obj else ()

    def create(self, request: HttpRequest, values: dict) -> Citizen:
        return add_citizen(actor=current_member(request), **{name: values[name] for name in ("key", *FIELDS)})

    def update(self, request: HttpRequest, obj: Citizen, changes: dict) -> None:
        change_citizen(actor=current_member(request), citizen=obj, **changes)
