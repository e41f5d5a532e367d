"""Tags and custom fields: what staff and administrators define."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from groups.admin.base import current_member
from groups.models import CustomField, Member, Tag
from groups.rules import MAX_CUSTOM_VALUE
from groups.services.custom_fields import create_custom_field, update_custom_field
from groups.services.tags import create_tag, delete_tag, rename_tag
from missionsite.common.admin import Action, ModelAdmin, ServiceForm
from missionsite.common.admin.formats import badge, format_number


def _delete(tag: Tag, actor: Member, values: dict) -> None:
    delete_tag(actor=actor, tag=tag)


def _to_list(pages: object, request: HttpRequest, returned: object) -> HttpResponse:
    messages.success(request, gettext("The tag was deleted."))
    return HttpResponseRedirect(reverse("admin:groups_tag_changelist"))


@admin.register(Tag)
class TagAdmin(ModelAdmin[Tag]):
    """Tags, with how many people and missions have each."""

    list_display = ("name", "people", "missions")
    list_display_links = ("name",)
    fields = ("name",)
    sortable_by = ()
    # Names differ between tags.
    bulk_edits = False
    empty_text = (_("No tags yet"), _("Add a tag here, or on the page of a person or mission."))
    add_label = _("Add tag")
    object_actions = (
        Action(
            name="delete-tag",
            title=_("Delete tag"),
            success_message=_("deleted"),
            run=_delete,
            permission="groups.delete_tag",
            help_text=_("It is taken off everyone who has it."),
            icon="delete",
            danger=True,
            result_page=_to_list,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        counts = {
            "people_count": Count("taggings", filter=Q(taggings__group__isnull=True)),
            "group_count": Count("taggings", filter=Q(taggings__group__isnull=False)),
        }
        return super().get_queryset(request).annotate(**counts)

    def create(self, request: HttpRequest, values: dict) -> Tag:
        return create_tag(actor=current_member(request), name=values["name"])

    def update(self, request: HttpRequest, obj: Tag, changes: dict) -> None:
        rename_tag(actor=current_member(request), tag=Tag.objects.get(pk=obj.pk), name=changes["name"])

    @display(description=_("People"))
    def people(self, tag: Any) -> str:
        link = f"{reverse('admin:groups_member_changelist')}?tag={tag.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, format_number(tag.people_count))

    @display(description=_("Missions and colonies"))
    def missions(self, tag: Any) -> str:
        link = f"{reverse('admin:groups_mission_changelist')}?tag={tag.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, format_number(tag.group_count))


class CustomFieldForm(ServiceForm):
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        max_length=8_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("One on each line, for the kind “Choice” only."),
    )

    class Meta:
        model = CustomField
        fields = ("target", "label", "name", "kind", "choices", "position", "is_archived")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.initial["choices"] = "\n".join(map(str, self.instance.choices or []))

    def clean_choices(self) -> list[str]:
        lines = [" ".join(line.split()) for line in self.cleaned_data["choices"].splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if any(len(line) > MAX_CUSTOM_VALUE for line in found):
            raise forms.ValidationError(_("A choice has at most 500 characters."))
        return found


@admin.register(CustomField)
class CustomFieldAdmin(ModelAdmin[CustomField]):
    """Custom fields of members and missions, defined by administrators."""

    form = CustomFieldForm
    list_display = ("label", "name", "target", "kind", "position", "state")
    list_display_links = ("label",)
    list_filter = (
        ("target", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("is_archived", BooleanRadioFilter),
    )
    fields = ("target", "label", "name", "kind", "choices", "position", "is_archived")
    sortable_by = ()
    empty_text = (_("No custom fields yet"), _("Add a field that members or missions have."))
    add_label = _("Add custom field")

    def create(self, request: HttpRequest, values: dict) -> CustomField:
        return create_custom_field(actor=current_member(request), **values)

    def update(self, request: HttpRequest, obj: CustomField, changes: dict) -> None:
        update_custom_field(actor=current_member(request), field=obj, **changes)

    @display(description=_("Status"))
    def state(self, field: CustomField) -> str:
        return badge(_("Archived"), "warning") if field.is_archived else badge(_("In use"), "success")
