-- ingest_participation and record_participation: adds the staged rows that are new, updates the last activity of their
-- members, and returns per member the number of rows, the last time, and whether one is a message. Locks ids and then
-- members in their order, so that concurrent calls do not deadlock.
WITH recorded AS (
    INSERT INTO member_participation
        (id, member_id, event_type, platform, room_id, event_metadata, occurred_at)
    SELECT id, member_id, event_type, platform, room_id, event_metadata, occurred_at
    FROM staged_participation ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING member_id, occurred_at, event_type
), latest AS (
    SELECT member_id, max(occurred_at) AS active_at FROM recorded GROUP BY member_id
), behind AS (
    SELECT m.id, l.active_at
    FROM latest l JOIN community_members m ON m.member_id = l.member_id
    WHERE m.erased_at IS NULL AND (m.last_active_at IS NULL OR m.last_active_at < l.active_at)
    ORDER BY m.member_id
    FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE community_members m SET last_active_at = b.active_at FROM behind b WHERE m.id = b.id
)
SELECT member_id, count(*), max(occurred_at), bool_or(event_type = 'MESSAGE') FROM recorded GROUP BY member_id
