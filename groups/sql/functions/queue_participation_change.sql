-- Queues what a statement adds to the daily highlights, in the transaction of its events.
CREATE OR REPLACE FUNCTION queue_participation_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO participation_changes (member_id, day, event_type, amount)
    SELECT member_id, (occurred_at AT TIME ZONE 'UTC')::date, event_type,
           sum(participation_amount(event_type, event_metadata))
    FROM new_rows GROUP BY 1, 2, 3;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION queue_participation_change() FROM PUBLIC;
