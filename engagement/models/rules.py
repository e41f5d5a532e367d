"""What the tables of this app have in common."""

from django.db import models

# The foreign key itself deletes, for raw SQL too: machine.sql.
BY_DATABASE = models.DO_NOTHING
