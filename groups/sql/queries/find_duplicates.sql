-- find_duplicates: adds pairs of people with something in common, and updates the open ones.
-- A key that more than %(most)s people share says nothing, so the number of pairs stays within reach.
WITH people AS MATERIALIZED (
    SELECT m.id AS person, m.email, coalesce(e.name, m.display_name) AS name, e.telegram_username, e.github_username,
           e.phone
    FROM members m LEFT JOIN community_members e ON e.person_id = m.id
    WHERE m.merged_into_id IS NULL AND m.id <> %(system)s AND e.erased_at IS NULL AND e.merged_into IS NULL
    UNION ALL
    SELECT e.id, NULL, e.name, e.telegram_username, e.github_username, e.phone
    FROM community_members e
    WHERE e.person_id IS NULL AND e.merged_into IS NULL AND e.erased_at IS NULL
),
keys (person, reason, key) AS MATERIALIZED (
    SELECT person, 'email', email_key(email) FROM people WHERE email IS NOT NULL
    UNION ALL SELECT person, 'telegram', lower(telegram_username) FROM people WHERE telegram_username IS NOT NULL
    UNION ALL SELECT person, 'github', lower(github_username) FROM people WHERE github_username IS NOT NULL
    UNION ALL SELECT person, 'phone', ltrim(phone, '+') FROM people WHERE phone IS NOT NULL
    UNION ALL SELECT person, 'name', name_key(name) FROM people
    UNION ALL SELECT person, 'similar_name', name_key(name, true) FROM people
    {more}
),
shared AS (
    SELECT reason, key FROM keys WHERE key <> ''
    GROUP BY reason, key HAVING count(*) BETWEEN 2 AND %(most)s
),
pairs AS (
    SELECT a.person AS first, b.person AS second, array_agg(DISTINCT reason) AS reasons
    FROM shared s JOIN keys a USING (reason, key) JOIN keys b USING (reason, key)
    WHERE a.person < b.person
    GROUP BY a.person, b.person
),
scored AS (
    SELECT first, second, reasons, least(100, (
        SELECT sum(points) FROM (
            VALUES ('email', 90), ('phone', 85), ('telegram', 85), ('github', 85), ('name', 55), ('similar_name', 35)
        ) AS weights (reason, points)
        -- The same name sounds the same.
        WHERE weights.reason = ANY (reasons) AND NOT (weights.reason = 'similar_name' AND 'name' = ANY (reasons))
    ))::integer AS score
    FROM pairs
),
best AS (SELECT * FROM scored ORDER BY score DESC, first, second LIMIT %(limit)s),
outdated AS (
    UPDATE possible_duplicates d SET status = 'outdated'
    WHERE d.status = 'open' AND NOT EXISTS (SELECT FROM pairs p WHERE p.first = d.first AND p.second = d.second)
)
INSERT INTO possible_duplicates AS d (first, second, reasons, score)
SELECT first, second, to_jsonb(reasons), score FROM best
ON CONFLICT (first, second) DO UPDATE SET
    reasons = excluded.reasons, score = excluded.score,
    status = CASE WHEN d.status = 'outdated' THEN 'open' ELSE d.status END,
    found_at = CASE WHEN d.status = 'outdated' THEN now() ELSE d.found_at END
WHERE d.status IN ('open', 'outdated')
    AND (d.reasons, d.score, d.status) IS DISTINCT FROM (excluded.reasons, excluded.score, 'open')
