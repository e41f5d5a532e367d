"""Options shared by the models of this app."""

from django.db import models

# The foreign key has ON DELETE in the database, which also covers raw SQL: CASCADE for the member of a row, SET NULL
# for its actor.
BY_DATABASE = models.DO_NOTHING
