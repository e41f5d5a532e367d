-- import_members: collects the errors of each row by itself and against stored rows, each as `column: message`.
-- One array per row is faster than a list of VALUES per row. A unique value of another member is free if that member
-- gets another one in the same file, so that values can be swapped.
WITH checked AS MATERIALIZED (
    SELECT r.line, ARRAY[
        CASE WHEN r.email IS NULL AND r.is_new AND r.telegram_id IS NULL AND NOT r.member_is_unknown
            THEN 'email: ' || %(email_missing)s
            WHEN r.email_is_bad THEN 'email: ' || format(%(email_invalid)s, left(r.email, 60)) END,
        CASE WHEN char_length(r.email) > %(email)s THEN 'email: ' || format(%(too_long)s, %(email)s) END,
        CASE WHEN r.email_of IS NOT NULL AND NOT EXISTS (
            SELECT FROM import_rows o WHERE o.id = r.email_of_id AND o.member_changed ? 'email')
            THEN 'email: ' || format(%(email_taken)s, r.email_of) END,
        CASE WHEN coalesce(r.name, '') ~ '^\s*$' AND coalesce(r.display_name_before, r.entry_name_before) IS NULL
            THEN 'name: ' || %(name_missing)s END,
        CASE WHEN char_length(r.name) > %(name)s THEN 'name: ' || format(%(too_long)s, %(name)s) END,
        CASE WHEN r.trust_score IS NOT NULL AND r.score IS NULL THEN 'trust_score: ' || CASE
            WHEN r.trust_score ~ '^-[0-9]+$' THEN %(score_negative)s
            WHEN r.trust_score ~ '^[0-9]+$' THEN %(score_too_large)s
            ELSE format(%(score_invalid)s, left(r.trust_score, 60)) END
            WHEN r.score > 0 AND r.email IS NULL AND r.member_changed IS NULL
            THEN 'trust_score: ' || %(score_without_account)s END,
        CASE WHEN r.member_is_unknown
            THEN 'member_id: ' || format(%(member_unknown)s, left(r.member_id, 60)) END,
        CASE WHEN r.is_protected AND (r.member_changed <> '{}' OR r.entry_changed <> '{}' OR r.entry_is_new)
            THEN 'member_id: ' || %(protected)s END,
        CASE WHEN r.telegram_id_of IS NOT NULL AND NOT EXISTS (
            SELECT FROM import_rows o WHERE o.entry_id = r.telegram_id_of_id AND o.entry_changed ? 'telegram_id')
            THEN 'telegram_id: ' || format(%(telegram_id_taken)s, r.telegram_id_of) END,
        CASE WHEN r.entry_is_erased THEN 'telegram_id: ' || %(erased)s
            WHEN r.entry_is_removed THEN 'telegram_id: ' || %(removed)s END,
        CASE WHEN r.entry_is_new AND r.primary_role IS NULL THEN 'primary_role: ' || %(role_missing)s END,
        CASE WHEN r.primary_role <> ALL (%(roles)s::text[])
            THEN 'primary_role: ' || format(%(role_unknown)s, left(r.primary_role, 60)) END,
        CASE WHEN char_length(r.organization) > %(organization)s
            THEN 'organization: ' || format(%(too_long)s, %(organization)s) END,
        CASE WHEN char_length(r.country) > %(country)s THEN 'country: ' || format(%(too_long)s, %(country)s) END,
        -- An e-mail with a control character is not a valid address.
        CASE WHEN r.name ~ %(control_characters)s THEN 'name: ' || %(one_line)s END,
        CASE WHEN r.organization ~ %(control_characters)s THEN 'organization: ' || %(one_line)s END,
        CASE WHEN r.country ~ %(control_characters)s THEN 'country: ' || %(one_line)s END
    ] AS found
    FROM import_rows r WHERE r.fault IS NULL
)
INSERT INTO import_errors
SELECT l.line, split_part(e, ': ', 1), substr(e, strpos(e, ': ') + 2)
FROM checked l CROSS JOIN LATERAL unnest(l.found) AS e
WHERE num_nonnulls(VARIADIC l.found) > 0 AND e IS NOT NULL
UNION ALL
SELECT r.line, split_part(e, ': ', 1), substr(e, strpos(e, ': ') + 2)
FROM import_rows r CROSS JOIN LATERAL string_to_table(r.problems, E'\n') AS e
WHERE r.problems IS NOT NULL
    -- A stored value may be older than the rule for it.
    AND NOT (r.entry_changed IS NOT NULL AND NOT r.entry_changed ? split_part(e, ': ', 1)
        AND split_part(e, ': ', 1) IN ('telegram_id', 'telegram_username', 'github_username'))
