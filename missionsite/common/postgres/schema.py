"""The schema editor of migrations, without indexes that nothing can use."""

from typing import Any, cast

from django.db.backends.postgresql import schema
from django.db.models import Field, Model


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    def _create_like_index_sql(self, model: type[Model], field: Field) -> Any:
        """No second index for LIKE on a column with collation C, whose plain index serves LIKE too.

        Source: PostgreSQL manual, 11.10.
        """
        if field.db_parameters(self.connection).get("collation") == "C":
            return None
        return cast(Any, super())._create_like_index_sql(model, field)
