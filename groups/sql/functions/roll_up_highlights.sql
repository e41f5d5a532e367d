-- Adds at most `at_most` queued changes to the highlights; returns how many, 0 if there are none. A second run waits
-- for the first.
CREATE OR REPLACE FUNCTION roll_up_highlights(points jsonb, daily_cap integer, at_most integer DEFAULT 100000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    noted bigint;
BEGIN
    PERFORM check_points(points, daily_cap);
    -- A separate statement, so that the next one sees the result of the previous run.
    PERFORM pg_advisory_xact_lock(19795, 1);
    WITH taken AS (
        DELETE FROM participation_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM participation_changes LIMIT at_most))
        RETURNING member_id, day, event_type, amount
    ), added AS (
        INSERT INTO member_daily_highlights AS h
            (member_id, highlight_date, message_count, reaction_count, voice_minutes, reputation_earned)
        SELECT member_id, day,
               coalesce(sum(amount) FILTER (WHERE event_type = 'MESSAGE'), 0),
               coalesce(sum(amount) FILTER (WHERE event_type = 'REACTION'), 0),
               coalesce(sum(amount) FILTER (WHERE event_type = 'VOICE'), 0),
               least(daily_cap, sum(amount * coalesce((points ->> event_type)::integer, 0)))
        FROM taken GROUP BY member_id, day
        ON CONFLICT (member_id, highlight_date) DO UPDATE
            SET message_count = h.message_count + excluded.message_count,
                reaction_count = h.reaction_count + excluded.reaction_count,
                voice_minutes = h.voice_minutes + excluded.voice_minutes,
                -- Both parts are capped, so their sum may pass 2^31.
                reputation_earned = least(daily_cap, h.reputation_earned::bigint + excluded.reputation_earned)
    )
    SELECT count(*) INTO noted FROM taken;
    RETURN noted;
END $$;
REVOKE EXECUTE ON FUNCTION roll_up_highlights(jsonb, integer, integer) FROM PUBLIC;
