"""What the tables of this app have in common."""

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models

# The foreign key itself deletes, for raw SQL too: sql/rules.sql.
BY_DATABASE = models.DO_NOTHING


class TimestampedModel(models.Model):
    """A row with a UUID and the time it was made; both are the database's."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        abstract = True
