-- Returns the end of the quiet hours at an instant in a zone, or NULL outside of them. They may span midnight.
CREATE OR REPLACE FUNCTION quiet_until(at timestamptz, zone text, quiet_from time, quiet_to time) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN CASE WHEN quiet_from <= quiet_to
            THEN (at AT TIME ZONE zone)::time >= quiet_from AND (at AT TIME ZONE zone)::time < quiet_to
            ELSE (at AT TIME ZONE zone)::time >= quiet_from OR (at AT TIME ZONE zone)::time < quiet_to END
    -- During the repeated hour of a clock change, the end may be in the past.
    THEN greatest(
        ((at AT TIME ZONE zone)::date
            + CASE WHEN quiet_from > quiet_to AND (at AT TIME ZONE zone)::time >= quiet_from THEN 1 ELSE 0 END
            + quiet_to) AT TIME ZONE zone,
        at + interval '1 minute'
    )
END;
