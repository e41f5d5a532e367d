-- import_members: the first rows that the import adds or changes, each with its changes as [field, before, after].
SELECT r.line, r.is_new, coalesce(r.name, p.display_name, c.name), coalesce(p.member_id, c.member_id, ''), (
    SELECT coalesce(jsonb_agg(jsonb_build_array(f.field, f.before, f.after) ORDER BY f.place), '[]')
    FROM (VALUES
        (1, 'email', p.email, CASE WHEN p.id IS NULL OR r.member_changed ? 'email' THEN r.email ELSE p.email END),
        (2, 'name', coalesce(p.display_name, c.name), coalesce(r.name, p.display_name, c.name)),
        (3, 'trust_score', p.trust_score::text, coalesce(r.score, p.trust_score)::text),
        (4, 'telegram_id', c.telegram_id, coalesce(r.telegram_id, c.telegram_id)),
        (5, 'telegram_username', c.telegram_username, r.telegram_username),
        (6, 'primary_role', c.primary_role, coalesce(r.primary_role, c.primary_role)),
        (7, 'organization', c.organization, r.organization),
        (8, 'country', c.country, r.country),
        (9, 'github_username', c.github_username, r.github_username)
    ) AS f (place, field, before, after)
    WHERE f.before IS DISTINCT FROM f.after
)
FROM (
    SELECT * FROM import_rows
    WHERE is_new OR account_is_new OR entry_is_new OR member_changed <> '{}' OR entry_changed <> '{}'
    ORDER BY line LIMIT %(most)s
) r
LEFT JOIN members p ON p.id = r.id
LEFT JOIN community_members c ON c.id = r.entry_id
ORDER BY r.line
