-- import_members: changes members, with one event each.
WITH changed AS (
    UPDATE members m SET
        email = CASE WHEN r.email_key IS NULL OR lower(m.email) = r.email_key THEN m.email ELSE r.email END,
        display_name = coalesce(r.name, m.display_name),
        trust_score = coalesce(r.score, m.trust_score)
    FROM import_rows r WHERE r.id = m.id AND r.member_changed <> '{}'
    RETURNING m.id, r.member_changed
)
INSERT INTO events (type, actor_id, member_id, payload)
SELECT 'member.changed', %(actor)s, id, jsonb_build_object('changed', member_changed, 'by', 'import') FROM changed
