-- import_members: the warnings of the rows without errors, by line: those of their values, and values that only a directory
-- entry has where the row has no Telegram ID for one.
WITH warnings AS (
    SELECT r.line, split_part(w, ': ', 1) AS column_name, substr(w, strpos(w, ': ') + 2) AS sentence
    FROM import_rows r CROSS JOIN LATERAL string_to_table(r.warnings, E'\n') AS w
    WHERE r.warnings IS NOT NULL
    UNION ALL
    SELECT r.line, 'telegram_id', format(%(no_entry)s, array_to_string(array_remove(ARRAY[
        CASE WHEN r.primary_role IS NOT NULL THEN 'primary_role' END,
        CASE WHEN r.telegram_username IS NOT NULL THEN 'telegram_username' END,
        CASE WHEN r.organization IS NOT NULL THEN 'organization' END,
        CASE WHEN r.country IS NOT NULL THEN 'country' END,
        CASE WHEN r.github_username IS NOT NULL THEN 'github_username' END
    ], NULL), ', '))
    FROM import_rows r
    WHERE r.telegram_id IS NULL AND r.entry_id IS NULL AND r.touches_entry
)
SELECT line, column_name, sentence, count(*) OVER () FROM warnings ORDER BY line, column_name LIMIT %(most)s
