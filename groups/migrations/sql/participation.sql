-- Daily highlights follow participation: every insert queues a change, a roll-up adds the queued changes.
--
-- A change is queued in the transaction of its event. A roll-up deletes and adds changes in one transaction, so an
-- event is counted once, however often a roll-up runs or is killed, and in whatever order transactions commit.

-- How much an event counts: a VOICE event by its minutes, any other as one.
CREATE FUNCTION participation_amount(event_type varchar, event_metadata jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN event_type <> 'VOICE' THEN 1
    ELSE coalesce((event_metadata ->> 'minutes')::numeric::integer, 0) END;

ALTER TABLE member_participation
    -- A day has 1,440 minutes.
    ADD CONSTRAINT member_participation_minutes_fit CHECK (
        CASE WHEN event_type <> 'VOICE' OR event_metadata ->> 'minutes' IS NULL THEN true
            WHEN jsonb_typeof(event_metadata -> 'minutes') <> 'number' THEN false
            ELSE (event_metadata ->> 'minutes')::numeric BETWEEN 0 AND 1440
                AND (event_metadata ->> 'minutes')::numeric % 1 = 0
        END
    ),
    ADD CONSTRAINT member_participation_time_fits CHECK (
        occurred_at >= '2000-01-01 00:00:00+00' AND occurred_at < '2200-01-01 00:00:00+00'
    );

CREATE FUNCTION queue_participation_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO participation_changes (member_id, day, event_type, amount)
    SELECT member_id, (occurred_at AT TIME ZONE 'UTC')::date, event_type,
           sum(participation_amount(event_type, event_metadata))
    FROM new_rows GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
CREATE TRIGGER member_participation_queued AFTER INSERT ON member_participation
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION queue_participation_change();

CREATE FUNCTION clear_participation_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    TRUNCATE participation_changes;
    RETURN NULL;
END $$;
CREATE TRIGGER member_participation_truncated AFTER TRUNCATE ON member_participation
    FOR EACH STATEMENT EXECUTE FUNCTION clear_participation_changes();

-- Counted columns never change; the room and the other metadata may be emptied when personal data is erased.
CREATE FUNCTION reject_counted_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'participation % was already counted', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'member_participation_is_counted';
END $$;
CREATE TRIGGER member_participation_is_counted BEFORE UPDATE ON member_participation
    FOR EACH ROW
    WHEN (
        (OLD.id, OLD.member_id, OLD.event_type, OLD.occurred_at)
            IS DISTINCT FROM (NEW.id, NEW.member_id, NEW.event_type, NEW.occurred_at)
        OR (OLD.event_type = 'VOICE'
            AND OLD.event_metadata -> 'minutes' IS DISTINCT FROM NEW.event_metadata -> 'minutes')
    )
    EXECUTE FUNCTION reject_counted_change();

-- Points as {"MESSAGE": 1, "VOICE": 2}; a missing type gives none. Points are never negative: with a cap, a sum that
-- can fall would depend on the order of its parts.
CREATE FUNCTION check_points(points jsonb, daily_cap integer) RETURNS void
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

-- Adds at most `at_most` queued changes to the highlights; returns how many, 0 if there are none. A second run waits
-- for the first.
CREATE FUNCTION roll_up_highlights(points jsonb, daily_cap integer, at_most integer DEFAULT 100000) RETURNS bigint
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

-- Rebuilds the highlights of days, both ends included, and drops their queued changes; returns how many highlights it
-- wrote or removed. Without a first day, from the first event on: older days, whose events were removed, are kept.
-- Changes and events are read in one snapshot: later commits keep their changes for the next roll-up.
CREATE FUNCTION rebuild_highlights(
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

-- Vacuum early: the queue is usually empty and must not stay large after a busy day.
ALTER TABLE participation_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE member_daily_highlights SET (fillfactor = 90);

REVOKE EXECUTE ON FUNCTION queue_participation_change(), clear_participation_changes(),
    roll_up_highlights(jsonb, integer, integer), rebuild_highlights(jsonb, integer, date, date) FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON participation_changes, member_daily_highlights FROM missionsite_app;
        GRANT EXECUTE ON FUNCTION roll_up_highlights(jsonb, integer, integer),
            rebuild_highlights(jsonb, integer, date, date) TO missionsite_app;
    END IF;
END $$;
