-- Whether a summary has counts by status, seconds, and pairs like functional_passed and functional_total, with
-- passed <= total; no negative values and no other keys, because a failure under another name could contradict `passed`.
CREATE OR REPLACE FUNCTION test_summary_valid(summary jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(summary) = 'object' THEN NOT EXISTS (
    SELECT FROM jsonb_each(summary) AS e (key, value) WHERE NOT coalesce(CASE WHEN jsonb_typeof(value) = 'number' THEN
        key ~ '^(passed|failed|errors|skipped|total|duration|.{1,80}_(passed|total))$'
        AND value >= '0' AND (key NOT LIKE '%\_passed' OR coalesce(value <= summary->(left(key, -6) || 'total'), true))
    END, false)
) ELSE false END;
