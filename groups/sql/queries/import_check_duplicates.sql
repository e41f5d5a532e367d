-- import_members: collects the errors of each row against an earlier row of the file.
-- email_twice, telegram_id_twice, member_twice: messages with a placeholder for the earlier line.
INSERT INTO import_errors
SELECT r.line, 'email', format(%(email_twice)s, f.line)
FROM import_rows r JOIN (
    SELECT email_key, min(line) AS line FROM import_rows GROUP BY email_key HAVING count(*) > 1
) f ON f.email_key = r.email_key WHERE r.line > f.line
UNION ALL
SELECT r.line, 'telegram_id', format(%(telegram_id_twice)s, f.line)
FROM import_rows r JOIN (
    SELECT telegram_id, min(line) AS line FROM import_rows GROUP BY telegram_id HAVING count(*) > 1
) f ON f.telegram_id = r.telegram_id WHERE r.line > f.line
UNION ALL
-- One row names the member by stable ID, another by e-mail or Telegram ID. The same value twice is reported above.
SELECT r.line, 'member_id', format(%(member_twice)s, f.line)
FROM import_rows r JOIN (
    SELECT id, min(line) AS line FROM import_rows WHERE NOT is_new
    GROUP BY id HAVING count(*) > 1 AND (count(DISTINCT email_key) > 1 OR count(email_key) < count(*))
        AND (count(DISTINCT telegram_id) > 1 OR count(telegram_id) < count(*))
) f ON f.id = r.id WHERE r.line > f.line
