"""Database defaults of columns that record the audit context."""

from django.db import models


class AuditChangesetId(models.Func):
    """The changeset of the current transaction, or NULL: SQL function audit_changeset_id()."""

    function = "audit_changeset_id"
    output_field = models.UUIDField()
