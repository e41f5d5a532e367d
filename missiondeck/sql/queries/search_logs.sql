-- The first lines of a run's logs that contain a text, ignoring case and colours: page, line and the start of the line.
-- Used by selectors.runs.search_logs.
SELECT p.page, p.first_line + l.place - 1, left(l.text, 500)
FROM (
    SELECT page, first_line, plain FROM test_run_log_pages, LATERAL (
        SELECT CASE WHEN position(E'\x1b' IN text) = 0 THEN text
            ELSE regexp_replace(text, E'\x1b(\\[[0-9;]*m)?', '', 'g') END
    ) without (plain)
    WHERE run_id = %(run)s AND position(lower(%(text)s) IN lower(plain)) > 0 ORDER BY page LIMIT %(limit)s
) p, string_to_table(p.plain, E'\n') WITH ORDINALITY AS l (text, place)
WHERE position(lower(%(text)s) IN lower(l.text)) > 0 ORDER BY 1, 2 LIMIT %(limit)s
