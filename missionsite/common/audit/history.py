"""The history of a row, field by field, and reverting one change."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

import pghistory
import pgtrigger
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext_lazy as _

from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError
from missionsite.common.transactions import service


class NothingToRevert(DomainError):
    """The change has no fields that can be set back."""

    message = _("This entry has no field changes to revert.")
    code = "nothing_to_revert"


class LaterChange(DomainError):
    """A later edit changed the same fields."""

    message = _("A later edit changed the same fields, so this change cannot be reverted.")
    code = "later_change"


def history_of(model: type[models.Model], *, exclude: tuple[str, ...] = ()) -> type[models.Model]:
    """Return the abstract base of a history model: every change and deletion, one insert per statement.

    created_at and updated_at are excluded: the database sets them with every change.
    """
    set_by_database = [field.name for field in model._meta.fields if field.name in ("created_at", "updated_at")]
    return pghistory.create_event_model(
        model,
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(),
        pghistory.DeleteEvent(),
        level=pgtrigger.Statement,
        obj_field=pghistory.ObjForeignKey(related_name="history", related_query_name="history"),
        exclude=[*exclude, *set_by_database],
    )


@dataclass(frozen=True)
class FieldChange:
    """One changed field, with the stored values before and after."""

    name: str
    label: str
    before: object
    after: object


@dataclass(frozen=True)
class Change:
    """One entry of a row's history. label: insert, update or delete. actor: None if the change had no changeset."""

    pgh_id: int
    when: datetime
    label: str
    actor: models.Model | None
    where: str
    job: str
    changeset_id: UUID | None = None
    fields: list[FieldChange] = field(default_factory=list)
    instance: models.Model | None = None


def changes_of(instance: models.Model, *, limit: int = 200) -> list[Change]:
    """Return the history of a row, newest first, at most `limit` entries, in two queries."""
    # One more entry, to compare the oldest returned one with.
    entries = list(
        cast(Any, instance)
        .history.model.objects.filter(pgh_obj_id=instance.pk)
        .select_related("pgh_context")
        .order_by("-pgh_id")[: limit + 1]
    )
    contexts = [getattr(entry.pgh_context, "metadata", None) or {} for entry in entries]
    actors = get_user_model()._default_manager.in_bulk({context["user"] for context in contexts if context.get("user")})
    actors = {str(key): actor for key, actor in actors.items()}
    changes = [
        Change(
            pgh_id=entry.pgh_id,
            when=entry.pgh_created_at,
            label=entry.pgh_label,
            actor=actors.get(str(context.get("user"))),
            where=context.get("url", ""),
            job=context.get("job", ""),
            changeset_id=entry.pgh_context_id,
            fields=_differences(older, entry) if entry.pgh_label == "update" and older else [],
            instance=instance,
        )
        for (entry, older), context in zip(pairwise([*entries, None]), contexts, strict=True)
    ]
    return changes[:limit]


@service
def revert_change(*, actor: models.Model, change: Change) -> models.Model:
    """Set the fields of one change back to what they were before it.

    The model's `audit_links()` returns the links of the event. Constraints apply as for any edit. Raises
    NothingToRevert, LaterChange (names the fields of the later edit), and the errors of the constraints.
    """
    if not change.fields or change.instance is None:
        raise NothingToRevert
    model = type(change.instance)
    current: Any = model._default_manager.select_for_update(of=("self",)).get(pk=change.instance.pk)
    changed_later = [f.label for f in change.fields if getattr(current, _attname(model, f.name)) != f.after]
    if changed_later:
        raise LaterChange(
            _("A later edit changed {names}, so this change cannot be reverted.").format(names=", ".join(changed_later))
        )
    for changed in change.fields:
        setattr(current, _attname(model, changed.name), changed.before)
    current.save(update_fields=[changed.name for changed in change.fields])
    audit(f"{model._meta.model_name}.reverted", actor=actor, **current.audit_links(), entry=change.pgh_id)
    return current


def _differences(older: models.Model, newer: models.Model) -> list[FieldChange]:
    """Return the tracked fields in which two entries differ."""
    changes = []
    for tracked in newer._meta.concrete_fields:
        if tracked.name.startswith("pgh_"):
            continue
        before, after = getattr(older, tracked.attname), getattr(newer, tracked.attname)
        if before != after:
            changes.append(FieldChange(tracked.name, str(tracked.verbose_name), before, after))
    return changes


def _attname(model: type[models.Model], name: str) -> str:
    try:
        return cast(models.Field, model._meta.get_field(name)).attname
    except FieldDoesNotExist as error:
        raise NothingToRevert(
            _("The field {name} no longer exists, so this change cannot be reverted.").format(name=name)
        ) from error
