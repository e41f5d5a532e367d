"""Shared parts of the admin pages of this app."""

from dataclasses import replace
from typing import Any, cast

from django.db.models import Count, Field, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext

from groups.models import Colony, Event, Group, Member, Membership, Mission
from groups.rules import CommunityStatus, shown_telegram_id
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.formats import format_datetime, link_to
from missionsite.common.annotations import M
from missionsite.common.audit.history import Change, changes_of, revert_change

# Colours of states: unfold's label variants.
STATUS = {"active": "success", "archived": "warning", "left": "default"}
STATUS_COLOURS: dict[str, str] = {
    CommunityStatus.NOT_MEMBER: "default",
    CommunityStatus.PENDING: "warning",
    CommunityStatus.ACTIVE: "success",
    CommunityStatus.SUSPENDED: "danger",
    CommunityStatus.BANNED: "danger",
}
TASK_STATE = {"open": "info", "claimed": "warning", "done": "success", "cancelled": "default"}


def current_member(request: HttpRequest) -> Member:
    """Return the member who is logged in."""
    return cast(Member, request.user)


class HistoryAdmin(ModelAdmin[M]):
    """Admin pages of a model with history."""

    has_history = True

    def changes_of(self, obj: M) -> list[Change]:
        changes = changes_of(_concrete(obj))
        names = _names(changes)
        return [
            replace(
                change,
                fields=[
                    replace(
                        field,
                        before=_format_stored(obj, field.name, field.before, names),
                        after=_format_stored(obj, field.name, field.after, names),
                    )
                    for field in change.fields
                ],
            )
            for change in changes
        ]

    def revert(self, request: HttpRequest, obj: M, change: Change) -> None:
        raw = next(entry for entry in changes_of(_concrete(obj)) if entry.pgh_id == change.pgh_id)
        self.revert_raw(request, raw)

    def revert_raw(self, request: HttpRequest, change: Change) -> None:
        """Revert a change whose values are those of the database. Raises DomainError."""
        revert_change(change=change, actor=current_member(request))


def active_membership_count() -> Coalesce:
    """Return a subquery that counts a member's active memberships; a member has few."""
    active = Membership.objects.active().filter(member=OuterRef("pk")).order_by().values("member")
    return Coalesce(Subquery(active.annotate(n=Count("pk")).values("n")), 0)


def actor_of(event: Event) -> str:
    """Return a link to the member who caused an event; "System" for an event without one."""
    return link_to(event.actor) if event.actor else gettext("System")


def _concrete(obj: Model) -> Model:
    """Return the Group of a proxy, so that history and events refer to the same model from every page."""
    if isinstance(obj, (Mission, Colony)):
        return Group.objects.get(pk=obj.pk)
    return obj


def _names(changes: list[Change]) -> dict:
    """Return the names of the objects that changed foreign keys refer to, by key; at most two queries."""
    wanted: dict[type[Model], set] = {Member: set(), Group: set()}
    for change in changes:
        for field in change.fields:
            related = change.instance._meta.get_field(field.name).related_model if change.instance else None
            if isinstance(related, type) and related in wanted:
                wanted[related] |= {key for key in (field.before, field.after) if key}
    return {
        key: str(found)
        for model, keys in wanted.items()
        if keys
        for key, found in model._base_manager.in_bulk(keys).items()
    }


def _format_stored(obj: Model, name: str, value: Any, names: dict) -> str:
    """Format a stored value."""
    field = cast(Field, obj._meta.get_field(name))
    if name == "telegram_id" and isinstance(value, str):
        value = shown_telegram_id(value)
    if value is None or value == "":
        return gettext("empty")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if field.related_model:
        return names.get(value, gettext("(deleted)"))
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if hasattr(value, "tzinfo"):
        return format_datetime(value)
    return str(value)
