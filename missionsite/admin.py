"""The admin of the whole site: log-in, search, autocompletes, roles and background jobs."""

# Imported for its registration, which is then replaced.
from typing import Any, cast

import django.contrib.auth.admin  # noqa: F401
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Group
from django.db import DataError, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import display

from groups.models import Member
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.command_palette import autocomplete, search
from missionsite.common.admin.options import ValidSelectionMixin
from missionsite.common.admin.passwords import StaffLoginForm, change_password, log_in
from missionsite.common.annotations import StrOrPromise
from missionsite.models import Role
from missionsite.roles import ROLES, assignable_permissions, change_role, create_role

site: Any = admin.site
site.login = log_in
site.login_form = StaffLoginForm
site.password_change = change_password
site.search = search
site.autocomplete_view = autocomplete
# The texts of the scripts of all apps; Django's own view has only those of its admin.
site.i18n_javascript = lambda request, extra_context=None: JavaScriptCatalog.as_view()(request)
admin.site.index_title = _("Home")
admin.site.unregister([Group, ProcrastinateJob])
# procrastinate's models have no labels.
ProcrastinateJob._meta.verbose_name, ProcrastinateJob._meta.verbose_name_plural = _("job"), _("jobs")
ProcrastinateJob._meta.app_config.verbose_name = _("Background work")


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    """Roles with their permissions. `migrate` overwrites the built-in ones, so they cannot be edited here."""

    list_display = ("name", "member_count", "origin")
    ordering = ("name",)
    sortable_by = ()
    filter_horizontal = ("permissions",)
    empty_text = (_("No roles yet"), _("Run `manage.py migrate` to create the built-in roles."))
    add_label = _("Add role")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(members=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name not in ROLES)

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        if obj and not self.has_change_permission(request, obj):
            return ("name", "origin", "member_count", "permission_names")
        return ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        return ("origin", "member_count", "permission_names") if obj else ()

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "permissions":
            kwargs["queryset"] = assignable_permissions()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description=_("members"))
    def member_count(self, role: Role) -> str:
        link = f"{reverse('admin:groups_member_changelist')}?role={role.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, cast(Any, role).members)

    @display(description=_("origin"))
    def origin(self, role: Role) -> StrOrPromise:
        return _("built in") if role.name in ROLES else _("custom")

    @display(description=_("permissions"))
    def permission_names(self, role: Role) -> StrOrPromise:
        names = role.permissions.order_by("content_type__model", "name").values_list("name")
        return format_html('<ul class="permissions">{}</ul>', format_html_join("", "<li>{}</li>", names)) or _("none")

    def create(self, request: HttpRequest, values: dict) -> Role:
        return create_role(actor=cast(Member, request.user), **values)

    def update(self, request: HttpRequest, obj: Role, changes: dict) -> None:
        change_role(actor=cast(Member, request.user), role=obj, **changes)

    def save_related(self, request: HttpRequest, form, formsets: list, change: bool) -> None:
        """Do nothing: the service saves the permissions."""


@admin.register(ProcrastinateJob)
class BackgroundJobAdmin(ValidSelectionMixin, ProcrastinateJobAdmin):  # type: ignore[misc]  # a mixin, not an admin
    """The background jobs, as procrastinate shows them."""

    def get_changelist_instance(self, request: HttpRequest):
        """The list. An unknown status in the address shows the page for invalid filters instead of a database error."""
        try:
            with transaction.atomic():
                shown = super().get_changelist_instance(request)
        except DataError as error:
            raise IncorrectLookupParameters from error
        shown.title = capfirst(self.opts.verbose_name_plural)
        return shown
