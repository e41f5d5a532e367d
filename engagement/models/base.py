"""Options shared by the models of this app."""

from django.db import models

# The foreign key has ON DELETE CASCADE in the database, which also covers raw SQL.
BY_DATABASE = models.DO_NOTHING
