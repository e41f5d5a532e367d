"""The admin of the whole site: log-in, search, autocompletes, roles and background jobs."""

# Imported for its registration, which is then replaced.
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, cast

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import Group
from django.db import DataError, transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import display

import missionsite.rights_tab  # noqa: F401  (registers a tab)
from groups.models import Member
from missionsite.common.admin import Action
from missionsite.common.admin.audited import AuditedHistory
from missionsite.common.admin.command_palette import autocomplete, search
from missionsite.common.admin.options import ValidSelectionMixin
from missionsite.common.admin.passwords import change_password
from missionsite.common.annotations import StrOrPromise
from missionsite.common.content_policy import office_style
from missionsite.common.models import RoleRequirement
from missionsite.models import Role
from missionsite.navigation import sidebar
from missionsite.roles import ROLES, assignable_permissions, change_role, create_role, set_second_factor


def lazily(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, called when its result is used."""
    return lambda *args, **kwargs: SimpleLazyObject(partial(function, *args, **kwargs))


def with_rendered_style(each_context: Callable[[HttpRequest], dict]) -> Callable[[HttpRequest], dict]:
    """The context of a page, with its colors as a style element instead of one variable each."""
    return lambda request: each_context(request) | {"colors": None, "office_style": office_style()}


site: Any = admin.site
site.password_change = change_password
site.search = search
site.autocomplete_view = autocomplete
# The texts of the scripts of all apps; Django's own view has only those of its admin.
site.i18n_javascript = lambda request, extra_context=None: JavaScriptCatalog.as_view()(request)
site.get_sidebar_list = sidebar
# Django makes the list of all models for every page; pages here do not show it.
site.get_app_list = lazily(site.get_app_list)
site.each_context = with_rendered_style(site.each_context)
admin.site.index_title = _("Home")
admin.site.unregister([Group, ProcrastinateJob])
# Members change these themselves, on the pages of their account; some hold secrets.
admin.site.unregister([EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken])
# procrastinate's models have no labels.
ProcrastinateJob._meta.verbose_name, ProcrastinateJob._meta.verbose_name_plural = _("job"), _("jobs")
ProcrastinateJob._meta.app_config.verbose_name = _("Background work")


def _requires_factor(role: Role) -> bool:
    return RoleRequirement.objects.filter(role=role.pk, second_factor=True).exists()


def _require_factor(role: Role, actor: Member, values: dict) -> None:
    set_second_factor(actor=actor, role=role, required=True)


def _allow_password_alone(role: Role, actor: Member, values: dict) -> None:
    set_second_factor(actor=actor, role=role, required=False)


@admin.register(Role)
class RoleAdmin(AuditedHistory):
    """Roles with their permissions. `migrate` overwrites the built-in ones, so they cannot be edited here."""

    audited_as = ("missionsite.role", "role.")
    list_display = ("name", "member_count", "second_factor", "origin")
    ordering = ("name",)
    sortable_by = ()
    bulk_edits = False
    filter_horizontal = ("permissions",)
    empty_text = (_("No roles yet"), _("Run `manage.py migrate` to create the built-in roles."))
    add_label = _("Add role")
    object_actions = (
        Action(
            name="require-second-factor",
            title=_("Require second factor"),
            success_message=_("requires a second factor"),
            run=_require_factor,
            permission="missionsite.change_role",
            available=lambda role: not _requires_factor(role),
            help_text=_(
                "Members of this role without a passkey or an authenticator app are logged out, and set one up at the "
                "next log-in."
            ),
            icon="passkey",
            asks_identity=True,
        ),
        Action(
            name="allow-password-alone",
            title=_("Allow password alone"),
            success_message=_("does not require a second factor"),
            run=_allow_password_alone,
            permission="missionsite.change_role",
            available=_requires_factor,
            icon="password",
            asks_identity=True,
        ),
    )

    def asks_identity(self, request: HttpRequest, changed: Collection[str], *, adding: bool) -> bool:
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        roles = super().get_queryset(request).select_related("requirement")
        return roles.annotate(members=Count("user", distinct=True))

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name not in ROLES)

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        if obj and not self.has_change_permission(request, obj):
            return ("name", "origin", "member_count", "second_factor", "permission_names")
        return ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> tuple[str, ...]:
        return ("origin", "member_count", "second_factor", "permission_names") if obj else ()

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "permissions":
            kwargs["queryset"] = assignable_permissions()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description=_("members"))
    def member_count(self, role: Role) -> str:
        link = f"{reverse('admin:groups_member_changelist')}?role={role.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, cast(Any, role).members)

    @display(description=_("second factor"))
    def second_factor(self, role: Role) -> StrOrPromise:
        requirement = getattr(role, "requirement", None)
        return _("required") if requirement and requirement.second_factor else _("optional")

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
