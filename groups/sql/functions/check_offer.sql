-- Checks that a place that is offered to the waiting list is free.
CREATE OR REPLACE FUNCTION check_offer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM check_places(ARRAY[NEW.group_id]);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION check_offer() FROM PUBLIC;
