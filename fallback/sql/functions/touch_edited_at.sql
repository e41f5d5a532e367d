-- Sets edited_at of a template. The time of the clock, because a discard earlier in the same transaction is before it.
CREATE OR REPLACE FUNCTION touch_edited_at() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    NEW.edited_at := clock_timestamp();
    RETURN NEW;
END $$;
