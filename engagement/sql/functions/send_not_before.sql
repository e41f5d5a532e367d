-- Returns when an unsolicited message may be sent to a member in a zone, or NULL if it may be sent now: after the quiet
-- hours and, with skip_weekends, not on Saturday and Sunday. quiet_from, quiet_to: NULL for no quiet hours.
CREATE OR REPLACE FUNCTION send_not_before(
    at timestamptz, zone text, quiet_from time, quiet_to time, skip_weekends boolean
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN skip_weekends
        AND extract(isodow FROM coalesce(quiet_until(at, zone, quiet_from, quiet_to), at) AT TIME ZONE zone) > 5
    THEN greatest(
        -- The Monday after, at the end of the quiet hours.
        (date_trunc('week', coalesce(quiet_until(at, zone, quiet_from, quiet_to), at) AT TIME ZONE zone)::date + 7
            + coalesce(quiet_to, '00:00')) AT TIME ZONE zone,
        at + interval '1 minute'
    )
    ELSE quiet_until(at, zone, quiet_from, quiet_to)
END;
