-- Returns how much an event counts: a VOICE event by its minutes, any other as one.
CREATE OR REPLACE FUNCTION participation_amount(event_type varchar, event_metadata jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN event_type <> 'VOICE' THEN 1
    ELSE coalesce((event_metadata ->> 'minutes')::numeric::integer, 0) END;
