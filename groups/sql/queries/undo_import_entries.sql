-- undo_import: sets entries back, and removes those that the import added; their Telegram ID is free again. One event each.
WITH restored AS (
    UPDATE community_members c SET
        person_id = r.person_id, telegram_id = r.telegram_id, name = r.name, primary_role = r.primary_role,
        telegram_username = r.telegram_username, organization = r.organization, country = r.country,
        github_username = r.github_username, github_verified = r.github_verified,
        github_verified_at = r.github_verified_at, github_profile_data = r.github_profile_data,
        reputation_score = r.reputation_score
    FROM undo_rows r WHERE r.entry_id = c.id AND NOT r.is_kept AND NOT r.entry_is_new
    RETURNING c.person_id, c.member_id
), removed AS (
    UPDATE community_members c SET telegram_id = 'removed:' || c.id, deleted_at = now()
    FROM undo_rows r WHERE r.entry_id = c.id AND NOT r.is_kept AND r.entry_is_new
    RETURNING c.person_id, c.member_id
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT 'communitymember.reverted', %(actor)s, person_id, jsonb_build_object('number', member_id, 'by', 'undo')
FROM restored
UNION ALL
SELECT 'directory.removed', %(actor)s, person_id, jsonb_build_object('number', member_id, 'by', 'undo') FROM removed
