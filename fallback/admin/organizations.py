from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from fallback.admin.base import KeySearch, MemberField, ProjectTab, member_of, rights_of
from fallback.admin.formats import is_automatic
from fallback.admin.preferences import DefaultsForm, chosen_channels
from fallback.models import Organization, OrganizationMembership, Project
from fallback.models.choices import OrganizationRole
from fallback.selectors.rights import Right, maintains_organization
from fallback.services.github_secrets import renew_webhook_secret
from fallback.services.preferences import set_notification_preferences
from fallback.services.projects import create_organization, set_organization_role, update_organization
from groups.models import Event
from missionsite.common.admin import Action, ActionForm, ServiceForm
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.audited import AuditedHistory
from missionsite.common.admin.formats import format_datetime, format_number, link_to, list_url
from missionsite.common.audit.events import event_label, event_summary


class OrganizationRoleForm(ActionForm):
    member = MemberField(label=_("Member"))
    role = forms.ChoiceField(choices=OrganizationRole, widget=UnfoldAdminSelectWidget)


class OrganizationForm(ServiceForm):
    class Meta:
        model = Organization
        fields = ("name", "slug", "timezone", "fallback_enabled", "fallback_rollout_percent")
        widgets = {"timezone": UnfoldAdminTextInputWidget()}
        error_messages = {
            "slug": {"unique": _("Another organisation already has this short name. Choose another one.")}
        }


class OrganizationAction(Action[Organization]):
    """An action for owners, administrators, and staff who maintain all projects."""

    def allowed(self, request: HttpRequest) -> bool:
        return rights_of(request).in_any_project(Right.MAINTAIN)

    def allowed_on(self, request: HttpRequest, obj: Organization) -> bool:
        return maintains_organization(member_of(request), obj)


def _secret_page(pages: OrganizationAdmin, request: HttpRequest, made: tuple[Organization, str]) -> HttpResponse:
    """The page that shows the secret of a webhook once."""
    organization, secret = made
    response = render_page(
        pages,
        request,
        "fallback/webhook_secret.html",
        title=gettext("Webhook of GitHub for {organization}").format(organization=organization),
        address=settings.SITE_URL + reverse("organization_github_webhook", args=[organization.pk]),
        secret=secret,
        back=reverse("admin:fallback_organization_change", args=[organization.pk]),
    )
    add_never_cache_headers(response)
    return response


class VisibleProjects(ProjectTab[Organization, Project]):
    """The projects of an organisation that the user may see."""

    def rows_for(self, obj: Organization, request: HttpRequest) -> QuerySet[Project]:
        return self.rows(obj).filter(rights_of(request).project_filter(Right.VIEW))


PROJECTS = VisibleProjects(
    name="projects",
    title=_("Projects"),
    rows=lambda organization: Project.objects.filter(organization=organization),
    columns=(
        (_("Project"), lambda project, request: link_to(project)),
        (_("Status"), lambda project, request: project.get_status_display()),
        (_("Privacy"), lambda project, request: project.get_privacy_display()),
        (_("Started"), lambda project, request: format_datetime(project.created_at)),
    ),
    empty=_("No projects yet."),
    list_link=lambda organization: list_url(Project, organization__id__exact=organization.pk),
)
PEOPLE: ProjectTab[Organization, OrganizationMembership] = ProjectTab(
    name="people",
    title=_("Members"),
    rows=lambda organization: organization.memberships.select_related("member").order_by("created_at", "id"),
    columns=(
        (_("Member"), lambda membership, request: link_to(membership.member)),
        (_("Role"), lambda membership, request: membership.get_role_display()),
        (_("Since"), lambda membership, request: format_datetime(membership.created_at)),
    ),
    empty=_("No members yet."),
)
# Types of site events about organisations.
EVENT_TYPES = (
    "organization.created",
    "organization.changed",
    "organization.role_set",
    "organization.webhook_secret_renewed",
    "notification.preferences_changed",
)
ACTIVITY: ProjectTab[Organization, Event] = ProjectTab(
    name="activity",
    title=_("Activity"),
    rows=lambda organization: Event.objects.filter(
        type__in=EVENT_TYPES, payload__organization=organization.pk
    ).select_related("member", "actor"),
    columns=(
        (_("When"), lambda event, request: format_datetime(event.occurred_at)),
        (_("What"), lambda event, request: event_label(event.type)),
        (_("Member"), lambda event, request: link_to(event.member)),
        (_("Details"), lambda event, request: event_summary(event.payload)),
        (_("By"), lambda event, request: gettext("System") if is_automatic(event.actor) else link_to(event.actor)),
    ),
    empty=_("No activity yet."),
)


@admin.register(Organization)
class OrganizationAdmin(AuditedHistory[Organization]):
    """Organisations. Users see those of their projects."""

    form = OrganizationForm
    search = KeySearch("name")
    search_help_text = _("Name")
    command_icon = "apartment"
    list_display = ("name", "slug", "timezone", "project_count", "rollout")
    # Repeated from the model, because Django drops Meta.ordering in queries with GROUP BY.
    ordering = (Lower("name"), "id")
    fieldsets = (
        (None, {"fields": (("name", "slug"), "timezone")}),
        (_("Fallback"), {"fields": (("fallback_enabled", "fallback_rollout_percent"),)}),
    )
    add_fieldsets = fieldsets
    tabs = (PROJECTS, PEOPLE, ACTIVITY)
    object_actions = (
        OrganizationAction(
            name="set-role",
            title=_("Add member or change role"),
            success_message=_("role changed"),
            run=lambda organization, actor, values: set_organization_role(
                actor=actor, organization=organization, member=values["member"], role=values["role"]
            ),
            permission="",
            form=OrganizationRoleForm,
            help_text=_("Owners and administrators maintain all its projects. Members see projects open to them."),
            icon="person_add",
            asks_identity=True,
        ),
        OrganizationAction(
            name="notification-defaults",
            title=_("Notifications of members"),
            success_message=_("notifications of members changed"),
            run=lambda organization, actor, values: set_notification_preferences(
                actor=actor, organization=organization, channels=chosen_channels(values)
            ),
            permission="",
            form=DefaultsForm,
            help_text=_("How members are notified who have not chosen it themselves in their inbox."),
            icon="notifications",
        ),
        OrganizationAction(
            name="webhook-secret",
            title=_("Create secret for GitHub"),
            success_message=_("has a new secret"),
            run=lambda organization, actor, values: (
                organization,
                renew_webhook_secret(actor=actor, organization=organization),
            ),
            permission="",
            help_text=_(
                "Creates a secret for a webhook of this organisation, which changes only its projects. The next page"
                " shows it once. A previous secret stops working."
            ),
            icon="webhook",
            result_page=_secret_page,
            asks_identity=True,
        ),
    )
    empty_text = (_("No organisations yet"), _("An organisation owns projects."))
    add_label = _("Add organisation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        rights = rights_of(request)
        visible = rights.project_filter(Right.VIEW, path="projects__")
        organizations = (
            super()
            .get_queryset(request)
            .annotate(number_of_projects=Count("projects", distinct=True, filter=Q(projects__isnull=False) & visible))
        )
        if Right.VIEW in rights.in_every_project:
            return organizations
        own = OrganizationMembership.objects.filter(member=member_of(request)).values("organization")
        return organizations.filter(Q(pk__in=own) | Q(pk__in=rights.projects().values("organization")))

    def shows_every_row(self, request: HttpRequest) -> bool:
        return Right.VIEW in rights_of(request).in_every_project

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights_of(request).in_any_project(Right.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        if obj is None:
            return rights_of(request).in_any_project(Right.VIEW)
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return Right.MAINTAIN in rights_of(request).in_every_project

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        if obj is None:
            return rights_of(request).in_any_project(Right.MAINTAIN)
        return maintains_organization(member_of(request), obj)

    @display(description=_("Projects"))
    def project_count(self, organization: Organization) -> str:
        return format_number(organization.number_of_projects)

    @display(description=_("Fallback roll-out"))
    def rollout(self, organization: Organization) -> str:
        if not organization.fallback_enabled:
            return gettext("off")
        return gettext("{percent} % of projects").format(percent=organization.fallback_rollout_percent)

    def create(self, request: HttpRequest, values: dict) -> Organization:
        return create_organization(actor=member_of(request), **values)

    def update(self, request: HttpRequest, obj: Organization, changes: dict) -> None:
        if not maintains_organization(member_of(request), obj):
            raise PermissionDenied
        update_organization(actor=member_of(request), organization=obj, **changes)
