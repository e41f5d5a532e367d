-- undo_import: gives up unique values that rows get back from each other: the unique indexes check each row by itself.
WITH released AS (
    UPDATE members m SET email = 'swapped-' || m.id || '@missionsite.invalid'
    FROM undo_rows r WHERE r.member_id = m.id AND NOT r.is_kept AND NOT r.member_is_new AND lower(m.email) <> lower(r.email)
)
UPDATE community_members c SET telegram_id = 'swapped-' || c.id
FROM undo_rows r WHERE r.entry_id = c.id AND NOT r.is_kept AND NOT r.entry_is_new AND c.telegram_id <> r.telegram_id
