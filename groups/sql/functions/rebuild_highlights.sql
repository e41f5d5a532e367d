-- Rebuilds the highlights of days, both ends included, and drops their queued changes; returns how many highlights it
-- wrote or removed. Without a first day, from the first event on: older days, whose events were removed, are kept.
-- Changes and events are read in one snapshot: later commits keep their changes for the next roll-up.
CREATE OR REPLACE FUNCTION rebuild_highlights(
    points jsonb, daily_cap integer, first_day date DEFAULT NULL, last_day date DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '128MB'
AS $$
DECLARE
    changed bigint;
    whole CONSTANT boolean := first_day IS NULL;
    message integer;
    reaction integer;
    voice integer;
    action integer;
    joined integer;
    gone integer;
BEGIN
    PERFORM check_points(points, daily_cap);
    message := coalesce((points ->> 'MESSAGE')::integer, 0);
    reaction := coalesce((points ->> 'REACTION')::integer, 0);
    voice := coalesce((points ->> 'VOICE')::integer, 0);
    action := coalesce((points ->> 'ACTION')::integer, 0);
    joined := coalesce((points ->> 'JOIN')::integer, 0);
    gone := coalesce((points ->> 'LEAVE')::integer, 0);
    PERFORM pg_advisory_xact_lock(19795, 1);
    IF whole THEN
        SELECT (min(occurred_at) AT TIME ZONE 'UTC')::date INTO first_day FROM member_participation;
        IF first_day IS NULL THEN
            RETURN 0;
        END IF;
    END IF;
    last_day := coalesce(last_day, 'infinity');
    WITH counted AS MATERIALIZED (
        SELECT member_id, (occurred_at AT TIME ZONE 'UTC')::date AS day,
               (count(*) FILTER (WHERE event_type = 'MESSAGE'))::integer AS messages,
               (count(*) FILTER (WHERE event_type = 'REACTION'))::integer AS reactions,
               coalesce(sum(participation_amount(event_type, event_metadata))
                        FILTER (WHERE event_type = 'VOICE'), 0)::integer AS minutes,
               least(daily_cap, sum(CASE event_type
                   WHEN 'MESSAGE' THEN message
                   WHEN 'REACTION' THEN reaction
                   WHEN 'VOICE' THEN voice * participation_amount(event_type, event_metadata)
                   WHEN 'ACTION' THEN action
                   WHEN 'JOIN' THEN joined
                   ELSE gone
               END))::integer AS reputation
        FROM member_participation
        WHERE occurred_at >= first_day::timestamp AT TIME ZONE 'UTC'
            AND occurred_at < (last_day + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2
    ), dropped AS (
        DELETE FROM participation_changes WHERE day BETWEEN first_day AND last_day
    ), removed AS (
        DELETE FROM member_daily_highlights h
        WHERE h.highlight_date BETWEEN first_day AND last_day
            AND NOT EXISTS (SELECT FROM counted c WHERE c.member_id = h.member_id AND c.day = h.highlight_date)
        RETURNING 1
    ), written AS (
        INSERT INTO member_daily_highlights AS h
            (member_id, highlight_date, message_count, reaction_count, voice_minutes, reputation_earned)
        SELECT member_id, day, messages, reactions, minutes, reputation FROM counted
        ON CONFLICT (member_id, highlight_date) DO UPDATE
            SET message_count = excluded.message_count, reaction_count = excluded.reaction_count,
                voice_minutes = excluded.voice_minutes, reputation_earned = excluded.reputation_earned
            WHERE (h.message_count, h.reaction_count, h.voice_minutes, h.reputation_earned)
                <> (excluded.message_count, excluded.reaction_count, excluded.voice_minutes, excluded.reputation_earned)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM written) INTO changed;
    RETURN changed;
END $$;
REVOKE EXECUTE ON FUNCTION rebuild_highlights(jsonb, integer, date, date) FROM PUBLIC;
