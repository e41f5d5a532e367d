-- import_members: adds members and entries, with one event per new member, including the entry, and one per new entry of
-- an existing member or without an account.
WITH people AS (
    INSERT INTO members (id, email, display_name, trust_score)
    SELECT id, email, coalesce(name, entry_name_before), coalesce(score, 0)
    FROM import_rows WHERE account_is_new ORDER BY line
    RETURNING id, member_id
), entries AS (
    INSERT INTO community_members (person_id, name, telegram_id, telegram_username, primary_role, organization,
        country, github_username, status)
    SELECT CASE WHEN account_is_new OR member_changed IS NOT NULL THEN id END, coalesce(name, display_name_before),
        telegram_id, telegram_username, primary_role, organization, country, github_username, %(status)s
    FROM import_rows WHERE entry_is_new ORDER BY line
    RETURNING person_id, member_id
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT CASE WHEN p.id IS NULL THEN 'directory.added' ELSE 'member.created' END, %(actor)s,
       coalesce(p.id, e.person_id),
       jsonb_strip_nulls(jsonb_build_object('stable_id', p.member_id, 'number', e.member_id, 'by', 'import'))
FROM people p FULL JOIN entries e ON e.person_id = p.id
