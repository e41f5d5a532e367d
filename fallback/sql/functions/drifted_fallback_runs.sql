-- Runs whose stored counts differ from their items; used by the nightly job. Always empty.
CREATE OR REPLACE FUNCTION drifted_fallback_runs() RETURNS TABLE (run_id varchar, actual integer[], stored integer[])
LANGUAGE sql STABLE
AS $$
    SELECT r.id, c.n, ARRAY[r.generated_count, r.accepted_count, r.discarded_count]
    FROM mission_fallback_runs r
    CROSS JOIN LATERAL (
        SELECT ARRAY[count(*), count(*) FILTER (WHERE i.status = 'accepted'),
            count(*) FILTER (WHERE i.status = 'discarded')]::integer[] AS n
        FROM mission_fallback_items i WHERE i.mission_fallback_run_id = r.id
    ) c
    WHERE c.n <> ARRAY[r.generated_count, r.accepted_count, r.discarded_count]
$$;
