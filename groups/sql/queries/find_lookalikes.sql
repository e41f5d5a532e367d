-- find_lookalikes: numbers and stable IDs of people with this name, mailbox or user name; each branch has an index.
SELECT DISTINCT reference FROM (
    SELECT coalesce(c.member_id, m.member_id) AS reference
    FROM members m LEFT JOIN community_members c ON c.person_id = m.id
    WHERE search_words(m.display_name) @@ name_query(%(name)s) AND name_key(m.display_name) = name_key(%(name)s)
        AND m.merged_into_id IS NULL
    UNION ALL
    SELECT c.member_id FROM community_members c
    WHERE search_words(c.name, c.organization) @@ name_query(%(name)s) AND name_key(c.name) = name_key(%(name)s)
        AND c.merged_into IS NULL AND c.erased_at IS NULL
    UNION ALL
    SELECT c.member_id FROM community_members c
    WHERE %(telegram_username)s <> '' AND lower(c.telegram_username) = lower(%(telegram_username)s)
        AND c.merged_into IS NULL
    UNION ALL
    SELECT c.member_id FROM community_members c
    WHERE %(github_username)s <> '' AND lower(c.github_username) = lower(%(github_username)s) AND c.merged_into IS NULL
    UNION ALL
    -- Other addresses of the mailbox begin alike.
    SELECT coalesce(c.member_id, m.member_id)
    FROM members m LEFT JOIN community_members c ON c.person_id = m.id
    WHERE %(email)s <> '' AND m.merged_into_id IS NULL AND email_key(m.email) = email_key(%(email)s)
        AND lower(m.email) LIKE replace(replace(split_part(email_key(%(email)s), '@', 1), '\', '\\'), '_', '\_') || '%%'
) AS found
ORDER BY reference LIMIT %(most)s
