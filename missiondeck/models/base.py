"""Shared by the models of this app."""

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _

# The foreign key itself deletes or clears the row, for raw SQL too: OnDelete in the migrations.
BY_DATABASE = models.DO_NOTHING


class TimestampedModel(models.Model):
    """A row with a UUID and a creation time, both set by the database."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=TransactionNow(), editable=False)

    class Meta:
        abstract = True
