-- import_members: rejects rows that need a unique value of a member whose own row has been rejected meanwhile.
INSERT INTO import_errors
SELECT r.line, 'email', format(%(email_taken)s, r.email_of) FROM import_rows r
WHERE r.email_of IS NOT NULL
    AND NOT EXISTS (SELECT FROM import_rows o WHERE o.id = r.email_of_id AND o.member_changed ? 'email')
UNION ALL
SELECT r.line, 'telegram_id', format(%(telegram_id_taken)s, r.telegram_id_of) FROM import_rows r
WHERE r.telegram_id_of IS NOT NULL
    AND NOT EXISTS (SELECT FROM import_rows o WHERE o.entry_id = r.telegram_id_of_id AND o.entry_changed ? 'telegram_id')
