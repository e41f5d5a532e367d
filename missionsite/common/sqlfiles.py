"""Migration operations for SQL files, and for data that must survive a reverse migration."""

from pathlib import Path

from django.db import migrations

from missionsite.common.constraints import CONTROL_CHARACTERS, one_line_checks


class SQLFile(migrations.RunSQL):
    """Run `sql/NAME.sql` beside the migration, and `sql/NAME.reverse.sql` when it is reversed.

    migration_file: the migration's own `__file__`.
    """

    def __init__(self, migration_file: str, name: str) -> None:
        self.name = name
        folder = Path(migration_file).parent / "sql"
        super().__init__(
            sql=(folder / f"{name}.sql").read_text(encoding="utf-8"),
            reverse_sql=(folder / f"{name}.reverse.sql").read_text(encoding="utf-8"),
        )

    def describe(self) -> str:
        return f"SQL file {self.name}"


class KeepRows(migrations.RunSQL):
    """When reversed, copy the rows of a history table to the backup table `<table>_backup`; forwards, restore them.

    Place it after all operations that alter the table.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        # The name comes from a migration, not from user input.
        restore = """
            DO $$ BEGIN
                IF to_regclass('{table}_backup') IS NOT NULL THEN
                    INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table}_backup;
                    PERFORM setval(pg_get_serial_sequence('{table}', 'pgh_id'), max(pgh_id)) FROM {table}
                        HAVING max(pgh_id) IS NOT NULL;
                    DROP TABLE {table}_backup;
                END IF;
            END $$;
        """
        super().__init__(sql=restore.format(table=table), reverse_sql=f"CREATE TABLE {table}_backup AS TABLE {table};")

    def describe(self) -> str:
        return f"Back up the rows of {self.table}"


class KeepTable(migrations.RunSQL):
    """When reversed, copy the rows of a table to the backup table `<table>_backup`; forwards, restore them.

    Place it after the operations that create the tables, in the order of their foreign keys, and before their
    triggers. A table without rows gets no backup.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        # The name comes from a migration, not from user input.
        restore = """
            DO $$ DECLARE kept text; counter text; BEGIN
                IF to_regclass('{table}_backup') IS NOT NULL THEN
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO kept FROM pg_attribute
                    WHERE attrelid = '{table}_backup'::regclass AND attnum > 0 AND NOT attisdropped;
                    EXECUTE format('INSERT INTO {table} (%s) SELECT %s FROM {table}_backup', kept, kept);
                    SELECT pg_get_serial_sequence('{table}', attname) INTO counter FROM pg_attribute
                    WHERE attrelid = '{table}'::regclass AND attidentity <> '';
                    IF counter IS NOT NULL THEN
                        EXECUTE format('SELECT setval(%L, max(id)) FROM {table} HAVING max(id) IS NOT NULL', counter);
                    END IF;
                    -- Pending deferred checks would prevent ALTER TABLE in this transaction.
                    SET CONSTRAINTS ALL IMMEDIATE;
                    SET CONSTRAINTS ALL DEFERRED;
                    DROP TABLE {table}_backup;
                END IF;
            END $$;
        """
        back_up = """
            DO $$ DECLARE kept text; BEGIN
                IF EXISTS (SELECT FROM {table}) THEN
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO kept FROM pg_attribute
                    WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
                    EXECUTE format('CREATE TABLE {table}_backup AS SELECT %s FROM {table}', kept);
                END IF;
            END $$;
        """
        super().__init__(sql=restore.format(table=table), reverse_sql=back_up.format(table=table))

    def describe(self) -> str:
        return f"Back up the rows of {self.table}"


class KeepColumn(migrations.RunSQL):
    """When reversed, copy a column to the backup table `<table>_<column>_backup`; forwards, restore its values.

    Place it after the operation that adds the column. The table's primary key is `id`.
    """

    def __init__(self, table: str, column: str) -> None:
        self.table, self.column = table, column
        # The names come from a migration, not from user input.
        restore = f"""
            DO $$ BEGIN
                IF to_regclass('{table}_{column}_backup') IS NOT NULL THEN
                    UPDATE {table} t SET {column} = s.{column} FROM {table}_{column}_backup s WHERE s.id = t.id;
                    -- Pending deferred checks would prevent ALTER TABLE in this transaction.
                    SET CONSTRAINTS ALL IMMEDIATE;
                    SET CONSTRAINTS ALL DEFERRED;
                    DROP TABLE {table}_{column}_backup;
                END IF;
            END $$;
        """
        back_up = f"""
            DO $$ BEGIN
                IF EXISTS (SELECT FROM {table}) THEN
                    CREATE TABLE {table}_{column}_backup AS SELECT id, {column} FROM {table};
                END IF;
            END $$;
        """
        super().__init__(sql=restore, reverse_sql=back_up)

    def describe(self) -> str:
        return f"Back up {self.column} of {self.table}"


class ReplaceControlCharacters(migrations.RunSQL):
    """Replace each line break and control character in these columns by a space. Cannot be reversed.

    A text without other characters becomes a question mark, since it may have to be non-empty.
    """

    def __init__(self, table: str, *columns: str) -> None:
        self.table = table
        # The names come from a migration, not from user input.
        clean = "".join(
            f"""
                UPDATE {table} SET {column} = CASE
                    WHEN regexp_replace({column}, '{CONTROL_CHARACTERS}', ' ', 'g') ~ '^\\s*$' THEN '?'
                    ELSE regexp_replace({column}, '{CONTROL_CHARACTERS}', ' ', 'g') END
                WHERE {column} ~ '{CONTROL_CHARACTERS}';
            """
            for column in columns
        )
        # Forced row security would hide rows from the owner too.
        sql = f"""
            DO $$ DECLARE forced boolean; BEGIN
                SELECT relforcerowsecurity INTO forced FROM pg_class WHERE oid = '{table}'::regclass;
                IF forced THEN ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; END IF;
                {clean}
                -- Pending deferred checks would prevent ALTER TABLE in this transaction.
                SET CONSTRAINTS ALL IMMEDIATE;
                SET CONSTRAINTS ALL DEFERRED;
                IF forced THEN ALTER TABLE {table} FORCE ROW LEVEL SECURITY; END IF;
            END $$;
        """
        super().__init__(sql=sql, reverse_sql=migrations.RunSQL.noop)

    def describe(self) -> str:
        return f"Replace control characters in {self.table}"


def add_one_line_checks(model: str, table: str, *columns: str) -> list[migrations.operations.base.Operation]:
    """Operations that replace control characters in these columns and add the constraints of one_line_checks()."""
    return [
        ReplaceControlCharacters(table, *columns),
        *(migrations.AddConstraint(model, rule) for rule in one_line_checks(table, *columns)),
    ]
