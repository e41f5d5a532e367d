-- import_members: joins each row with its member (p) and directory entry (c): those of the stable ID or number; without
-- one, those of the e-mail; without both, those of the Telegram ID. Finds the owners of the row's e-mail (m) and Telegram
-- ID (t), and the changes, in the form of an event's payload. Empty values keep what is stored; the word `clear` empties it.
-- A row without e-mail of which no account is known is an entry without an account.
-- system: id of the system member.
CREATE TEMPORARY TABLE import_rows ON COMMIT DROP AS
SELECT l.line, l.fault, l.fault_at, l.problems, l.warnings, l.email_is_bad, l.email, l.name, l.trust_score, l.score,
       l.telegram_id, l.primary_role, l.member_id, v.*,
       CASE WHEN NOT l.email_is_bad THEN lower(l.email) END AS email_key,
       coalesce(p.id, gen_random_uuid()) AS id,
       c.id AS entry_id,
       p.id IS NULL AND c.id IS NULL AS is_new,
       p.id IS NULL AND l.email IS NOT NULL AS account_is_new,
       l.member_id IS NOT NULL AND s.id IS NULL AND n.id IS NULL AS member_is_unknown,
       p.display_name AS display_name_before, c.name AS entry_name_before, c.telegram_id AS telegram_id_before,
       p.updated_at AS member_seen_at, c.updated_at AS entry_seen_at,
       CASE WHEN m.id IS DISTINCT FROM p.id THEN m.member_id END AS email_of,
       CASE WHEN m.id IS DISTINCT FROM p.id THEN m.id END AS email_of_id,
       CASE WHEN t.id IS DISTINCT FROM c.id THEN t.member_id END AS telegram_id_of,
       CASE WHEN t.id IS DISTINCT FROM c.id THEN t.id END AS telegram_id_of_id,
       g.is_renamed,
       l.telegram_id IS NOT NULL AND c.id IS NULL AS entry_is_new,
       v.touches_entry AND c.deleted_at IS NOT NULL AS entry_is_removed,
       v.touches_entry AND c.erased_at IS NOT NULL AS entry_is_erased,
       p.id = %(system)s OR (p.is_superuser AND NOT %(changes_administrators)s)
           OR (p.is_staff AND NOT %(changes_staff)s) AS is_protected,
       CASE WHEN p.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
           'email', CASE WHEN lower(l.email) <> lower(p.email) THEN 'changed' END,
           'display_name', CASE WHEN l.name <> p.display_name THEN 'changed' END,
           'trust_score', CASE WHEN l.score <> p.trust_score THEN jsonb_build_array(p.trust_score, l.score) END
       )) END AS member_changed,
       CASE WHEN c.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
           'person', CASE WHEN c.person_id IS NULL AND l.email IS NOT NULL THEN 'changed' END,
           'telegram_id', CASE WHEN l.telegram_id <> c.telegram_id THEN 'changed' END,
           'name', CASE WHEN l.name <> c.name THEN 'changed' END,
           'primary_role', CASE WHEN l.primary_role <> c.primary_role
               THEN jsonb_build_array(c.primary_role, l.primary_role) END,
           'telegram_username', CASE WHEN v.telegram_username IS DISTINCT FROM c.telegram_username THEN 'changed' END,
           'organization', CASE WHEN v.organization IS DISTINCT FROM c.organization THEN 'changed' END,
           'country', CASE WHEN v.country IS DISTINCT FROM c.country THEN 'changed' END,
           'github_username', CASE WHEN v.github_username IS DISTINCT FROM c.github_username THEN 'changed' END,
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
LEFT JOIN community_members n ON n.member_id = l.member_id
LEFT JOIN community_members t ON t.telegram_id = l.telegram_id
LEFT JOIN members p ON p.id = CASE WHEN l.member_id IS NOT NULL THEN coalesce(s.id, n.person_id)
    WHEN l.email IS NOT NULL THEN m.id ELSE t.person_id END
LEFT JOIN community_members a ON a.person_id = p.id
LEFT JOIN community_members c ON c.id = coalesce(n.id, a.id,
    CASE WHEN l.member_id IS NULL AND l.email IS NULL THEN t.id END)
CROSS JOIN LATERAL (
    SELECT CASE l.telegram_username WHEN %(clear)s THEN NULL ELSE coalesce(l.telegram_username, c.telegram_username) END
               AS telegram_username,
           CASE l.organization WHEN %(clear)s THEN NULL ELSE coalesce(l.organization, c.organization) END AS organization,
           CASE l.country WHEN %(clear)s THEN NULL ELSE coalesce(l.country, c.country) END AS country,
           CASE l.github_username WHEN %(clear)s THEN NULL ELSE coalesce(l.github_username, c.github_username) END
               AS github_username,
           num_nonnulls(l.telegram_id, l.telegram_username, l.primary_role, l.organization, l.country,
               l.github_username) > 0 AS touches_entry
) v
CROSS JOIN LATERAL (
    SELECT c.id IS NOT NULL AND lower(v.github_username) IS DISTINCT FROM lower(c.github_username) AS is_renamed
) g
