"""The history of objects whose changes only the audit records."""

from django.http import HttpRequest

from missionsite.common.admin.options import ModelAdmin
from missionsite.common.annotations import M
from missionsite.common.audit.history import Change
from missionsite.common.audit.trail import changes_of_object


class AuditedHistory(ModelAdmin[M]):
    """Adds the page History, made from the audit: of the last 400 days, without reverting.

    audited_as: the kind of object and the beginning of the actions of its entries; by default the model and its rows.
    """

    has_history = True
    can_revert = False
    audited_as: tuple[str, str] = ("", "row.")

    def changes_of(self, obj: M) -> list[Change]:
        kind, prefix = self.audited_as
        return changes_of_object(kind or self.opts.label_lower, str(obj.pk), prefix=prefix)

    def _revertible(self, request: HttpRequest, obj: M, change: Change) -> bool:
        return False
