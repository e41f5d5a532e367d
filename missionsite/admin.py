"""The admin of the whole site: log-in, search, autocompletes, roles and background jobs."""

# Imported for its registration, which is then replaced.
import django.contrib.auth.admin  # noqa: F401
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Group, Permission
from django.db import DataError, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import display

from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.command_palette import autocomplete, search
from missionsite.common.admin.options import ValidSelectionMixin
from missionsite.common.admin.passwords import StaffLoginForm, change_password, log_in
from missionsite.models import Role
from missionsite.roles import ROLES

admin.site.login = log_in
admin.site.login_form = StaffLoginForm
admin.site.password_change = change_password
admin.site.search = search
admin.site.autocomplete_view = autocomplete
admin.site.index_title = "Home"
admin.site.unregister([Group, ProcrastinateJob])


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    """Roles with their permissions. `migrate` overwrites the built-in ones, so they cannot be edited here."""

    list_display = ("name", "holders", "kept_by")
    ordering = ("name",)
    sortable_by = ()
    filter_horizontal = ("permissions",)
    empty_text = ("No roles yet", "Run `manage.py migrate` to create the built-in roles.")
    add_label = "Add role"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(people=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name not in ROLES)

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        if obj and not self.has_change_permission(request, obj):
            return ("name", "kept_by", "holders", "rights")
        return ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        return ("kept_by", "holders", "rights") if obj else ()

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "permissions":
            ours = ("groups", "common", "missionsite")
            kwargs["queryset"] = Permission.objects.filter(content_type__app_label__in=ours).select_related(
                "content_type"
            )
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description="People with it")
    def holders(self, role: Role) -> str:
        link = f"{reverse('admin:groups_member_changelist')}?role={role.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, role.people)

    @display(description="Kept by")
    def kept_by(self, role: Role) -> str:
        return "the site" if role.name in ROLES else "administrators"

    @display(description="May do")
    def rights(self, role: Role) -> str:
        names = role.permissions.order_by("content_type__model", "name").values_list("name")
        return format_html('<ul class="rights">{}</ul>', format_html_join("", "<li>{}</li>", names)) or "nothing"

    def save_model(self, request: HttpRequest, obj: Role, form, change: bool) -> None:
        """Save the role directly: there is no service for roles."""
        obj.save()


@admin.register(ProcrastinateJob)
class BackgroundJobAdmin(ValidSelectionMixin, ProcrastinateJobAdmin):
    """The background jobs, as procrastinate shows them."""

    def get_changelist_instance(self, request: HttpRequest):
        """The list. An unknown status in the address shows the page for invalid filters instead of a database error."""
        try:
            with transaction.atomic():
                return super().get_changelist_instance(request)
        except DataError as error:
            raise IncorrectLookupParameters from error
