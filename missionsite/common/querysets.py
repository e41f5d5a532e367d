"""The base of the querysets of all apps."""

from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class QuerySet(models.QuerySet[M]):
    """A queryset that can lock one row."""

    def lock(self, pk: Any, *related: str, no_key: bool = False) -> M:
        """Return the row as it is now, locked until the end of the transaction (`SELECT … FOR UPDATE OF` this table).

        related: foreign keys to load with it, without a lock. no_key: lock FOR NO KEY UPDATE, which does not block
        inserts of rows that refer to it. Raises DoesNotExist.
        """
        rows = self.select_for_update(of=("self",), no_key=no_key)
        return (rows.select_related(*related) if related else rows).get(pk=pk)
