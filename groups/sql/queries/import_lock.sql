-- import_members: locks the rows to change; false if one of them has changed since it was matched.
WITH locked_members AS MATERIALIZED (
    SELECT m.updated_at = r.member_seen_at AS as_seen FROM import_rows r JOIN members m ON m.id = r.id
    WHERE r.member_changed <> '{}' ORDER BY m.id FOR NO KEY UPDATE OF m
), locked_entries AS MATERIALIZED (
    SELECT c.updated_at = r.entry_seen_at AS as_seen
    FROM import_rows r JOIN community_members c ON c.id = r.entry_id
    WHERE r.entry_changed <> '{}' ORDER BY c.id FOR NO KEY UPDATE OF c
)
SELECT (SELECT count(*) FROM locked_members WHERE as_seen) = count(*) FILTER (WHERE member_changed <> '{}')
    AND (SELECT count(*) FROM locked_entries WHERE as_seen) = count(*) FILTER (WHERE entry_changed <> '{}')
FROM import_rows
