-- import_members: the warnings of the rows without errors, by line: those of their values, values that only a directory
-- entry has where the row has no Telegram ID for one, and new people who are like someone who is there.
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
    UNION ALL
    -- New people with the name or a user name of someone who is there already.
    SELECT r.line, CASE WHEN a.by_name THEN 'name' ELSE 'telegram_username' END, format(%(alike)s, a.reference)
    FROM (SELECT * FROM import_rows WHERE is_new ORDER BY line LIMIT %(compared)s) r CROSS JOIN LATERAL (
        SELECT reference, by_name FROM (
            SELECT coalesce(c.member_id, m.member_id) AS reference, true AS by_name
            FROM members m LEFT JOIN community_members c ON c.person_id = m.id
            WHERE search_words(m.display_name) @@ name_query(r.name) AND name_key(m.display_name) = name_key(r.name)
                AND m.merged_into_id IS NULL
            UNION ALL
            SELECT c.member_id, true FROM community_members c
            WHERE search_words(c.name, c.organization) @@ name_query(r.name) AND name_key(c.name) = name_key(r.name)
                AND c.person_id IS NULL AND c.merged_into IS NULL AND c.erased_at IS NULL
            UNION ALL
            SELECT c.member_id, false FROM community_members c
            WHERE lower(c.telegram_username) = lower(r.telegram_username) AND c.merged_into IS NULL
            UNION ALL
            SELECT c.member_id, false FROM community_members c
            WHERE lower(c.github_username) = lower(r.github_username) AND c.merged_into IS NULL
        ) AS found
        ORDER BY by_name, reference LIMIT 1
    ) a
)
SELECT line, column_name, sentence, count(*) OVER () FROM warnings ORDER BY line, column_name LIMIT %(most)s
