-- import_members: changes directory entries, with one event each. A new GitHub name is not verified and has no points.
WITH changed AS (
    UPDATE community_members c SET
        person_id = CASE WHEN r.account_is_new THEN r.id ELSE c.person_id END,
        telegram_id = coalesce(r.telegram_id, c.telegram_id),
        name = coalesce(r.name, c.name),
        primary_role = coalesce(r.primary_role, c.primary_role),
        telegram_username = r.telegram_username,
        organization = r.organization,
        country = r.country,
        github_username = r.github_username,
        github_verified = c.github_verified AND NOT r.is_renamed,
        github_verified_at = CASE WHEN NOT r.is_renamed THEN c.github_verified_at END,
        github_profile_data = CASE WHEN NOT r.is_renamed THEN c.github_profile_data END,
        reputation_score = CASE WHEN r.is_renamed THEN 0 ELSE c.reputation_score END
    FROM import_rows r WHERE r.entry_id = c.id AND r.entry_changed <> '{}'
    RETURNING c.person_id, c.member_id, r.entry_changed
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT 'directory.changed', %(actor)s, person_id,
       jsonb_build_object('number', member_id, 'changed', entry_changed, 'by', 'import')
FROM changed
