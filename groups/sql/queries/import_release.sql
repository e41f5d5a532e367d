-- import_members: gives up the unique values that members of the file exchange among each other, before they get new ones:
-- the unique indexes check each row by itself.
WITH released AS (
    UPDATE members m SET email = 'swapped-' || m.id || '@missionsite.invalid'
    FROM import_rows r WHERE r.email_of_id = m.id
)
UPDATE community_members c SET telegram_id = 'swapped-' || c.id
FROM import_rows r WHERE r.telegram_id_of_id = c.id
