-- import_members: changes directory entries, with one event each. A new GitHub name is not verified and has no points.
WITH changed AS (
    UPDATE community_members c SET
        telegram_id = r.telegram_id,
        name = r.name,
        primary_role = coalesce(r.primary_role, c.primary_role),
        telegram_username = CASE WHEN 'telegram_username' = ANY (%(given)s::text[])
            THEN r.telegram_username ELSE c.telegram_username END,
        organization = CASE WHEN 'organization' = ANY (%(given)s::text[])
            THEN r.organization ELSE c.organization END,
        country = CASE WHEN 'country' = ANY (%(given)s::text[]) THEN r.country ELSE c.country END,
        github_username = CASE WHEN 'github_username' = ANY (%(given)s::text[])
            THEN r.github_username ELSE c.github_username END,
        github_verified = c.github_verified AND NOT r.is_renamed,
        github_verified_at = CASE WHEN NOT r.is_renamed THEN c.github_verified_at END,
        github_profile_data = CASE WHEN NOT r.is_renamed THEN c.github_profile_data END,
        reputation_score = CASE WHEN r.is_renamed THEN 0 ELSE c.reputation_score END
    FROM import_rows r WHERE r.id = c.person_id AND r.entry_changed <> '{}'
    RETURNING c.person_id, c.member_id, r.entry_changed
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT 'directory.changed', %(actor)s, person_id,
       jsonb_build_object('number', member_id, 'changed', entry_changed, 'by', 'import')
FROM changed
