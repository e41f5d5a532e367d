-- import_members: joins each row with its member (p), found by stable ID, else by e-mail; that member's entry (c); the
-- owners of its e-mail (m) and Telegram ID (t); and the changes, in the form of an event's payload.
-- given: the columns of the file. system: id of the system member.
CREATE TEMPORARY TABLE import_rows ON COMMIT DROP AS
SELECT l.*, CASE WHEN NOT l.email_is_bad THEN lower(l.email) END AS email_key,
       coalesce(p.id, gen_random_uuid()) AS id, p.id IS NULL AS is_new,
       p.updated_at AS member_seen_at, c.updated_at AS entry_seen_at,
       CASE WHEN m.id <> p.id THEN m.member_id END AS email_of,
       CASE WHEN p.id IS NULL OR t.person_id IS DISTINCT FROM p.id THEN t.member_id END AS telegram_id_of,
       g.is_renamed,
       l.telegram_id IS NOT NULL AND c.id IS NULL AS entry_is_new,
       l.telegram_id IS NOT NULL AND c.deleted_at IS NOT NULL AS entry_is_removed,
       l.telegram_id IS NOT NULL AND c.erased_at IS NOT NULL AS entry_is_erased,
       p.id = %(system)s OR (p.is_superuser AND NOT %(changes_administrators)s)
           OR (p.is_staff AND NOT %(changes_staff)s) AS is_protected,
       CASE WHEN p.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
           'email', CASE WHEN lower(l.email) <> lower(p.email) THEN 'changed' END,
           'display_name', CASE WHEN l.name <> p.display_name THEN 'changed' END,
           'trust_score', CASE WHEN l.score <> p.trust_score THEN jsonb_build_array(p.trust_score, l.score) END
       )) END AS member_changed,
       CASE WHEN l.telegram_id IS NOT NULL AND c.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
           'telegram_id', CASE WHEN l.telegram_id <> c.telegram_id THEN 'changed' END,
           'name', CASE WHEN l.name <> c.name THEN 'changed' END,
           'primary_role', CASE WHEN l.primary_role <> c.primary_role
               THEN jsonb_build_array(c.primary_role, l.primary_role) END,
           'telegram_username', CASE WHEN 'telegram_username' = ANY (%(given)s::text[])
               AND l.telegram_username IS DISTINCT FROM c.telegram_username THEN 'changed' END,
           'organization', CASE WHEN 'organization' = ANY (%(given)s::text[])
               AND l.organization IS DISTINCT FROM c.organization THEN 'changed' END,
           'country', CASE WHEN 'country' = ANY (%(given)s::text[])
               AND l.country IS DISTINCT FROM c.country THEN 'changed' END,
           'github_username', CASE WHEN 'github_username' = ANY (%(given)s::text[])
               AND l.github_username IS DISTINCT FROM c.github_username THEN 'changed' END,
           'github_verified', CASE WHEN g.is_renamed AND c.github_verified THEN 'changed' END,
           'reputation_score', CASE WHEN g.is_renamed AND c.reputation_score <> 0 THEN 'changed' END
       )) END AS entry_changed
FROM (
    SELECT *, CASE WHEN trust_score ~ '^[0-9]{1,10}$'
        THEN CASE WHEN trust_score::bigint <= %(max_trust_score)s THEN trust_score::integer END END AS score
    FROM import_lines
) l
LEFT JOIN members m ON lower(m.email) = lower(l.email)
LEFT JOIN members s ON s.member_id = l.member_id
LEFT JOIN members p ON p.id = CASE WHEN l.member_id IS NULL THEN m.id ELSE s.id END
LEFT JOIN community_members c ON c.person_id = p.id
LEFT JOIN community_members t ON t.telegram_id = l.telegram_id
CROSS JOIN LATERAL (
    SELECT 'github_username' = ANY (%(given)s::text[])
        AND lower(l.github_username) IS DISTINCT FROM lower(c.github_username) AS is_renamed
) g
