-- Assignees and numbers of existing missions, and the latest run and the pages of logs of existing test runs.
UPDATE deck_missions d SET assignee_id = m.id
FROM members m WHERE d.assignee_id IS NULL AND lower(m.email) = lower(d.assigned_to);
INSERT INTO deck_latest_runs (mission_id, run_id, status, created_at)
SELECT DISTINCT ON (mission_id) mission_id, id, status, created_at FROM test_runs
ORDER BY mission_id, created_at DESC, id DESC;
SELECT paginate_logs(id, logs) FROM test_runs WHERE logs <> '';
SELECT setval('deck_missions_number_seq', max(number)) FROM deck_missions
HAVING max(number) >= (SELECT last_value FROM deck_missions_number_seq);
