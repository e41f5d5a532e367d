"""API tokens in the back office: members create and revoke their own; administrators revoke any."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from missionsite.common.admin.actions import Action
from missionsite.common.admin.formats import badge
from missionsite.common.admin.forms import ServiceForm
from missionsite.common.admin.options import ModelAdmin
from missionsite.common.annotations import SiteRequest
from missionsite.common.constraints import validate_one_line
from missionsite.common.models import ApiToken
from missionsite.common.scopes import all_scopes
from missionsite.common.tokens import create_token, revoke_token

LIFETIMES = {7: _("7 days"), 30: _("30 days"), 90: _("90 days"), 365: _("1 year")}


class TokenForm(ServiceForm):
    """The form for a new token: name, scopes and lifetime."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("A token never has more rights than you have."),
    )
    days = forms.TypedChoiceField(
        label=_("Expires after"),
        choices=list(LIFETIMES.items()),
        coerce=int,
        initial=90,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = ApiToken
        fields = ["name", "kind"]
        widgets = {"name": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}), "kind": UnfoldAdminSelectWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.MultipleChoiceField, self.fields["scopes"]).choices = [
            (name, f"{description} ({name})") for name, description in all_scopes().items()
        ]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not name:
            raise forms.ValidationError(_("Enter a name, so that you can recognise the token later."))
        validate_one_line(name)
        return name


class RevokeAction(Action[ApiToken]):
    """Revokes a token. Needs no permission beyond viewing it: one's own, or any for administrators."""

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.is_staff


REVOKE = RevokeAction(
    name="revoke",
    title=_("Revoke"),
    success_message=_("revoked"),
    run=lambda token, actor, values: revoke_token(token=token, actor=actor),
    permission="",
    available=lambda token: token.revoked_at is None,
    help_text=_("Programs that use this token stop working immediately. This cannot be undone."),
    icon="key_off",
    bulk_title=_("Revoke"),
    danger=True,
)


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin[ApiToken]):
    """Tokens can be created and revoked, but not edited."""

    list_display = ["name", "shown_prefix", "shown_owner", "shown_scopes", "expires_at", "last_used_at", "state"]
    list_select_related = ["owner"]
    object_actions = (REVOKE,)
    already_saved = _(
        "This token was already created, and its text is shown only once. If you have not copied it, revoke this token"
        " and create another one."
    )
    add_label = _("Create token")
    empty_text = (_("No API tokens yet"), _("Create one for a program that acts on your behalf."))
    fields = [
        "name",
        "shown_prefix",
        "shown_owner",
        "shown_scopes",
        "kind",
        "created_at",
        "expires_at",
        "last_used_at",
        "state",
    ]
    ordering = ["-created_at", "-id"]

    # --- Permissions ----------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """One's own tokens; all tokens for administrators."""
        tokens = super().get_queryset(request)
        return tokens if request.user.is_superuser else tokens.filter(owner=request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        if not self.has_module_permission(request):
            return False
        return obj is None or request.user.is_superuser or obj.owner_id == request.user.pk

    def has_add_permission(self, request: HttpRequest) -> bool:
        """All staff may create tokens for themselves, as a token has no more rights than its owner."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    # --- Adding a token ---------------------------------------------------------------------------

    def asks_identity(self, request: HttpRequest, changed: Collection[str], *, adding: bool) -> bool:
        return adding

    def get_form(self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj:
            return super().get_form(request, obj, change=change, **kwargs)
        return self.form_with_error(request, TokenForm)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        return self.fields if obj else ["name", "kind", "scopes", "days"]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """Offer only "Save", which leads to the page with the token."""
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, only_save | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ServiceForm, change: bool) -> None:
        now = timezone.now()
        token, cast(SiteRequest, request).new_token = create_token(
            actor=request.user,
            owner=request.user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            kind=form.cleaned_data["kind"],
            expires_at=now + timedelta(days=form.cleaned_data["days"]),
            now=now,
        )
        obj.pk, obj._state = token.pk, token._state
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: Any = None) -> HttpResponse:
        """Show the token in this response only: not in a message, a session or a later page."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Token {name}").format(name=obj.name),
            "token": obj,
            "plaintext": cast(SiteRequest, request).new_token,
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, "common/token_created.html", context)
        add_never_cache_headers(response)
        return response

    # --- Columns ------------------------------------------------------------------------------

    @display(description=_("prefix"))
    def shown_prefix(self, token: ApiToken) -> str:
        return f"{token.prefix}…"

    @display(description=_("owner"))
    def shown_owner(self, token: ApiToken) -> str:
        return str(token.owner)

    @display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @display(description=_("status"))
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return badge(gettext("revoked"), "danger")
        return badge(gettext("active"), "success") if token.is_usable else badge(gettext("expired"), "warning")
