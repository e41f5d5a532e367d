-- Returns when the time to reply to a message ends: `within` after it was sent, without the quiet hours of the member's
-- zone. Equal quiet hours mean none.
CREATE OR REPLACE FUNCTION reply_deadline(
    sent_at timestamptz, zone text, quiet_from time, quiet_to time, within interval
) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    at timestamptz := sent_at;
    remaining interval := within;
    night timestamptz;
BEGIN
    IF quiet_from = quiet_to THEN
        RETURN sent_at + within;
    END IF;
    LOOP
        at := coalesce(quiet_until(at, zone, quiet_from, quiet_to), at);
        night := ((at AT TIME ZONE zone)::date + quiet_from) AT TIME ZONE zone;
        IF night <= at THEN
            night := ((at AT TIME ZONE zone)::date + 1 + quiet_from) AT TIME ZONE zone;
        END IF;
        IF at + remaining <= night THEN
            RETURN at + remaining;
        END IF;
        remaining := remaining - (night - at);
        at := night;
    END LOOP;
END $$;
