"""The tab with tags, custom fields and notes of a person, mission or colony, and the filters of the lists."""

from collections.abc import Callable
from datetime import date
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import path, reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from groups.admin.base import current_member
from groups.models import CustomField, CustomValue, Group, Member, Tag, Tagging
from groups.rules import MAX_NOTE, MAX_TAG, CustomFieldKind, CustomFieldTarget
from groups.selectors.details import (
    FIELD_PREFIX,
    Subject,
    fields_for,
    has_fields,
    having,
    notes_of,
    tag_names,
    tags_of,
    target_of,
    values_of,
)
from groups.services.custom_fields import read_value, set_values
from groups.services.tags import add_note, change_tags, remove_note
from missionsite.common.admin import Action, ActionForm, CustomTab
from missionsite.common.admin.actions import post_action
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import format_datetime
from missionsite.common.errors import DomainError

# Tags that a filter or form offers.
OFFERED_TAGS = 200


def plain_subject(obj: Any) -> Subject:
    """Return the Group of a proxy, else the object."""
    return Group.objects.get(pk=obj.pk) if isinstance(obj, Group) else obj


# --- Forms ----------------------------------------------------------------------------------------


class TagsForm(ActionForm):
    """The tags of one object; for several objects, the tags to add."""

    tags = forms.MultipleChoiceField(
        label=_("Tags"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget(), choices=()
    )
    new = forms.CharField(
        label=_("New tags"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Separated by commas."),
    )

    def __init__(self, data=None, *, obj=None, **kwargs) -> None:
        super().__init__(data, obj=obj, **kwargs)
        mine = list(tags_of(obj).values_list("name", flat=True)) if obj else []
        offered = [*mine, *Tag.objects.exclude(name__in=mine).values_list("name", flat=True)[:OFFERED_TAGS]]
        field = self.fields["tags"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, name) for name in offered]
        field.initial = mine
        self.before = mine

    def clean_new(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["new"].replace(";", ",").split(",") if name.strip()]
        if any(len(name) > MAX_TAG for name in names):
            raise forms.ValidationError(gettext("A tag has at most %(most)d characters.") % {"most": MAX_TAG})
        return names

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        cleaned["remove"] = [name for name in self.before if name not in cleaned.get("tags", [])]
        return cleaned


class NoteForm(ActionForm):
    text = forms.CharField(
        label=_("Text"),
        max_length=MAX_NOTE,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("Staff see it. It is erased with the person."),
    )


class ValuesForm(ActionForm):
    """The custom fields of an object. An empty field has no value."""

    def __init__(self, data=None, *, obj=None, **kwargs) -> None:
        super().__init__(data, obj=obj, **kwargs)
        self.custom = fields_for(target_of(obj)) if obj and has_fields(obj) else []
        stored = values_of(obj) if obj else {}
        for field in self.custom:
            self.fields[field.name] = _form_field(field, stored.get(field.pk, ""))

    def clean(self) -> dict:
        cleaned = super().clean() or {}
        for field in self.custom:
            try:
                read_value(field, cleaned.get(field.name, ""))
            except DomainError as error:
                self.add_error(field.name, str(error.message))
        return {"values": {field: cleaned.get(field.name, "") for field in self.custom}}


def _form_field(field: CustomField, value: str) -> forms.Field:
    options: dict[str, Any] = {"label": field.label, "required": False, "initial": value}
    match field.kind:
        case CustomFieldKind.CHOICE:
            return forms.ChoiceField(choices=[("", "-"), *((each, each) for each in field.choices)], **options)
        case CustomFieldKind.YES_NO:
            return forms.ChoiceField(choices=[("", "-"), ("yes", _("Yes")), ("no", _("No"))], **options)
        case CustomFieldKind.DATE:
            widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
            return forms.CharField(max_length=40, widget=widget, **options)
    return forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget(), **options)


def shown_value(field: CustomField, value: str) -> str:
    """Return a stored value as a page shows it."""
    match field.kind:
        case CustomFieldKind.YES_NO:
            return gettext("Yes") if value == "yes" else gettext("No")
        case CustomFieldKind.NUMBER:
            return number_format(value, use_l10n=True, force_grouping=True)
        case CustomFieldKind.DATE:
            return date_format(date.fromisoformat(value), "DATE_FORMAT")
    return value


# --- Actions and tab ------------------------------------------------------------------------------


def _tag(obj: Any, actor: Member, values: dict) -> None:
    change_tags(actor=actor, subject=plain_subject(obj), add=[*values["tags"], *values["new"]], remove=values["remove"])


def _note(obj: Any, actor: Member, values: dict) -> None:
    add_note(actor=actor, subject=plain_subject(obj), text=values["text"])


def _values(obj: Any, actor: Member, values: dict) -> None:
    set_values(actor=actor, subject=plain_subject(obj), values=values["values"])


def detail_actions(permission: str) -> tuple[Action, ...]:
    """Return the actions behind the buttons of the tab. permission: to change the object."""
    from_tab: Callable[[Any], bool] = lambda obj: False  # noqa: E731 - the tab has the buttons
    return (
        Action(
            name="tags",
            title=_("Tags"),
            success_message=_("tagged"),
            run=_tag,
            permission=permission,
            form=TagsForm,
            available=from_tab,
            icon="label",
            bulk_title=_("Add tags"),
        ),
        Action(
            name="note",
            title=_("Add note"),
            success_message=_("note added"),
            run=_note,
            permission=permission,
            form=NoteForm,
            available=from_tab,
            icon="note_add",
        ),
    )


def values_action(permission: str) -> Action:
    return Action(
        name="custom-fields",
        title=_("Custom fields"),
        success_message=_("custom fields saved"),
        run=_values,
        permission=permission,
        form=ValuesForm,
        available=lambda obj: False,
        icon="edit_note",
    )


def details_tab(permission: str, change: str, model: str) -> CustomTab:
    """Return the tab. permission: to view the object. change: to change it. model: its name in addresses."""

    def context(obj: Any, request: HttpRequest) -> dict:
        may = request.user.has_perm(change)

        def link(name: str) -> str:
            here = reverse(f"admin:groups_{model}_notes", args=[obj.pk])
            return f"{reverse(f'admin:groups_{model}_{name}', args=[obj.pk])}?next={here}" if may else ""

        fields = fields_for(target_of(obj)) if has_fields(obj) else []
        stored = values_of(obj) if fields else {}
        return {
            "tags": [(tag.name, f"{_list_of(model)}?tag={tag.pk}") for tag in tags_of(obj)],
            "edit_tags": link("tags"),
            "fields": [(f.label, shown_value(f, stored[f.pk]) if f.pk in stored else "") for f in fields],
            "edit_fields": link("custom-fields") if fields else "",
            "notes": [
                {
                    "text": note.text,
                    "about": gettext("%(name)s, %(time)s")
                    % {"name": note.author, "time": format_datetime(note.created_at)},
                    "remove": reverse(f"admin:groups_{model}_remove_note", args=[obj.pk, note.pk])
                    if may and (note.author_id == request.user.pk or request.user.has_perm("groups.grant_access"))
                    else "",
                }
                for note in notes_of(obj)
            ],
            "add_note": link("note"),
        }

    return CustomTab(
        name="notes", title=_("Notes and tags"), template="groups/notes.html", context=context, permission=permission
    )


def _list_of(model: str) -> str:
    return reverse(f"admin:groups_{model}_changelist")


def remove_note_path(model_admin: Any, change: str) -> Any:
    """Return the address that removes a note of an object. change: the permission to change the object."""
    model = str(model_admin.opts.model_name)

    @post_action(back=lambda object_id, note_id: reverse(f"admin:groups_{model}_notes", args=[object_id]))
    def remove(request: HttpRequest, object_id: str, note_id: UUID) -> FormResult:
        obj = model_admin.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not (request.user.has_perm(change) and model_admin.has_view_permission(request, obj)):
            raise PermissionDenied
        subject = plain_subject(obj)
        note = notes_of(subject).filter(pk=note_id).first()
        if note is None:
            raise Http404
        remove_note(actor=current_member(request), note=note, subject=subject)
        return FormResult(reverse(f"admin:groups_{model}_notes", args=[obj.pk]), gettext("Note removed."))

    view = model_admin._wrapped(remove, remove)
    return path("<path:object_id>/notes/<uuid:note_id>/remove/", view, name=f"groups_{model}_remove_note")


# --- Filters --------------------------------------------------------------------------------------


class TagFilter(DropdownFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # A page may make its list twice.
        if not hasattr(request, "offered_tags"):
            tags = Tag.objects.values_list("pk", "name")[:OFFERED_TAGS]
            cast(Any, request).offered_tags = [(str(key), name) for key, name in tags]
        return cast(Any, request).offered_tags

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        try:
            return having(queryset, Tagging.objects.filter(tag=UUID(self.value()))) if self.value() else queryset
        except ValueError:
            return queryset


def value_filters(target: CustomFieldTarget) -> list[type]:
    """Return a filter for each custom field: a choice of its values, or a text for exactly one value."""
    return [_value_filter(field) for field in fields_for(target)]


def _value_filter(field: CustomField) -> type:
    def queryset(self: Any, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        try:
            value = read_value(field, (self.value() or "").replace("\x00", ""))
        except DomainError:
            return queryset
        return having(queryset, CustomValue.objects.filter(field=field, value=value)) if value else queryset

    members: dict[str, Any] = {
        "title": field.label,
        "parameter_name": f"{FIELD_PREFIX}{field.name}",
        "queryset": queryset,
    }
    match field.kind:
        case CustomFieldKind.CHOICE | CustomFieldKind.YES_NO:
            offered = field.choices or ["yes", "no"]
            pairs = [(each, shown_value(field, each)) for each in offered]
            members["lookups"] = lambda self, request, model_admin: pairs
            return type("CustomFieldFilter", (DropdownFilter,), members)
    return type("CustomFieldFilter", (TextFilter,), members)


class DetailsMixin(UnfoldModelAdmin):
    """A model admin of a subject: its tab, its forms, and filters and a column of its list."""

    # The permission to change an object, and what its custom fields are.
    details_permission = ""
    details_target: CustomFieldTarget | None = None

    def get_list_filter(self, request: HttpRequest) -> list:
        # Asked several times for one page.
        if not hasattr(request, "custom_filters"):
            custom = value_filters(self.details_target) if self.details_target else []
            cast(Any, request).custom_filters = custom
        return [*super().get_list_filter(request), TagFilter, *cast(Any, request).custom_filters]

    def get_urls(self) -> list:
        return [remove_note_path(self, self.details_permission), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        if match and (match.url_name or "").endswith("_changelist"):
            return queryset.annotate(tag_names=tag_names(self.model))
        return queryset

    @display(description=_("Tags"))
    def tags_shown(self, obj: Any) -> str:
        if not hasattr(obj, "tag_names"):
            # A page asks several times.
            obj.tag_names = "; ".join(tags_of(obj).values_list("name", flat=True))
        return obj.tag_names or ""
