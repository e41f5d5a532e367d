"""Base classes of the back office: model admins, lists, search, actions, tabs."""

from missionsite.common.admin import audit, bulk_edits, retention, security_log, tokens
from missionsite.common.admin.actions import Action, ActionForm, EmptyForm, OptionalReasonForm, ReasonForm
from missionsite.common.admin.extensions import register_list_button, register_tab
from missionsite.common.admin.forms import AutocompleteField, ServiceForm
from missionsite.common.admin.options import ModelAdmin, ReadOnlyModelAdmin
from missionsite.common.admin.search import Found, Search
from missionsite.common.admin.tabs import CustomTab, Tab

__all__ = [
    "Action",
    "ActionForm",
    "AutocompleteField",
    "CustomTab",
    "EmptyForm",
    "Found",
    "ModelAdmin",
    "OptionalReasonForm",
    "ReadOnlyModelAdmin",
    "ReasonForm",
    "Search",
    "ServiceForm",
    "Tab",
    "audit",
    "bulk_edits",
    "register_list_button",
    "register_tab",
    "retention",
    "security_log",
    "tokens",
]
