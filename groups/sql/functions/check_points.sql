-- Checks points, such as {"MESSAGE": 1, "VOICE": 2}; a missing type gives none. Points are never negative: with a cap,
-- a sum that can fall would depend on the order of its parts.
CREATE OR REPLACE FUNCTION check_points(points jsonb, daily_cap integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
    IF jsonb_typeof(points) IS DISTINCT FROM 'object' OR daily_cap IS NULL OR daily_cap < 0 OR EXISTS (
        SELECT FROM jsonb_each(points) p
        WHERE p.key NOT IN ('MESSAGE', 'REACTION', 'VOICE', 'ACTION', 'JOIN', 'LEAVE')
            OR p.value::text !~ '^[0-9]{1,6}$'
    ) THEN
        RAISE EXCEPTION 'points % with a daily cap of %', points, daily_cap
            USING ERRCODE = 'check_violation', CONSTRAINT = 'highlights_points_fit';
    END IF;
END $$;
