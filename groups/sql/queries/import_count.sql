-- import_members: counts the rows without errors (added, updated, all), and the errors.
SELECT count(*) FILTER (WHERE is_new),
       count(*) FILTER (WHERE NOT is_new AND (member_changed <> '{}' OR entry_is_new OR entry_changed <> '{}')),
       count(*),
       (SELECT count(*) FROM import_errors)
FROM import_rows
