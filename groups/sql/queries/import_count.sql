-- import_members: counts the rows without errors (added, updated, all), the errors, and the swapped unique values.
SELECT count(*) FILTER (WHERE is_new),
       count(*) FILTER (WHERE NOT is_new
           AND (account_is_new OR member_changed <> '{}' OR entry_is_new OR entry_changed <> '{}')),
       count(*),
       (SELECT count(*) FROM import_errors),
       count(email_of) + count(telegram_id_of)
FROM import_rows
