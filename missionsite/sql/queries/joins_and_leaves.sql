-- Memberships that began and ended in each of some periods (missionsite/figures.py). Each number is counted by an index
-- and only up to a limit, so the time does not depend on the size of the table.
-- Parameters: starts, ends (arrays of instants), most (the limit).
SELECT
    (SELECT count(*) FROM (
        SELECT FROM memberships m WHERE m.joined_at >= p.starts_at AND m.joined_at < p.ends_at LIMIT %(most)s) j),
    (SELECT count(*) FROM (
        SELECT FROM memberships m WHERE m.status = 'left' AND m.left_at >= p.starts_at AND m.left_at < p.ends_at
        LIMIT %(most)s) l)
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS p (starts_at, ends_at, number)
ORDER BY p.number
