-- undo_import: sets members back, and deactivates those that the import added; their e-mail is free again. One event each.
WITH changed AS (
    UPDATE members m SET
        email = CASE WHEN r.member_is_new THEN 'removed-' || m.id || '@missionsite.invalid' ELSE r.email END,
        display_name = CASE WHEN r.member_is_new THEN m.display_name ELSE r.display_name END,
        trust_score = CASE WHEN r.member_is_new THEN m.trust_score ELSE r.trust_score END,
        is_active = m.is_active AND NOT r.member_is_new
    FROM undo_rows r WHERE r.member_id = m.id AND NOT r.is_kept
    RETURNING m.id
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT 'member.reverted', %(actor)s, id, jsonb_build_object('by', 'undo') FROM changed
