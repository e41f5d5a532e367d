-- Updates the counts of runs after each statement on items. Runs are locked in the order of their keys, so that two
-- statements cannot deadlock.
CREATE OR REPLACE FUNCTION count_fallback_items() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    deltas jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT mission_fallback_run_id AS run, jsonb_build_array(count(*),
                count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'discarded')) AS d
            FROM new_rows GROUP BY 1) x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT mission_fallback_run_id AS run, jsonb_build_array(-count(*),
                -count(*) FILTER (WHERE status = 'accepted'), -count(*) FILTER (WHERE status = 'discarded')) AS d
            FROM old_rows GROUP BY 1) x;
    ELSE
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT run, jsonb_build_array(sum(s), sum(s) FILTER (WHERE status = 'accepted'),
                sum(s) FILTER (WHERE status = 'discarded')) AS d
            FROM (SELECT mission_fallback_run_id AS run, status, 1 AS s FROM new_rows
                  UNION ALL SELECT mission_fallback_run_id, status, -1 FROM old_rows) both_rows
            GROUP BY run
            HAVING sum(s) <> 0 OR coalesce(sum(s) FILTER (WHERE status = 'accepted'), 0) <> 0
                OR coalesce(sum(s) FILTER (WHERE status = 'discarded'), 0) <> 0) x;
    END IF;
    IF deltas IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM mission_fallback_runs r WHERE r.id IN (SELECT jsonb_object_keys(deltas)) ORDER BY r.id
        FOR NO KEY UPDATE;
    UPDATE mission_fallback_runs r SET
        generated_count = r.generated_count + (d.value ->> 0)::integer,
        accepted_count = r.accepted_count + coalesce((d.value ->> 1)::integer, 0),
        discarded_count = r.discarded_count + coalesce((d.value ->> 2)::integer, 0)
    FROM jsonb_each(deltas) d WHERE r.id = d.key;
    RETURN NULL;
END $$;
